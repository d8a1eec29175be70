"""The vault: every secret in one encrypted file, and the ways its passphrase may arrive.

`entry` says what may be kept, `format` turns entries into bytes and back (docs/vault-format.md),
`file` keeps the bytes safe on disk, `unlock` finds the passphrase.
"""
