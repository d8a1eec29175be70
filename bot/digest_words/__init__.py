"""The digest and the monthly report in sentences, the state and the number first."""
