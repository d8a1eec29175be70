/* Slack's date tokens in the words of its English client, as a reader of the recorded ledger sees them. */
const NOW = 1795683600; // the moment that every snapshot was recorded at: 26 November 2026, 09:00 UTC
const ZONE = "Europe/Berlin"; // and where its configuration says people are
const DAY = 86_400;
const TOKENS = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  time: { hour: "numeric", minute: "2-digit" },
  time_secs: { hour: "numeric", minute: "2-digit", second: "2-digit" },
};

/* A moment in the words that `format` asks for. */
export function spoken(timestamp, format) {
  const at = Number(timestamp);
  return format.replace(/\{(\w+?)(_pretty)?\}/g, (whole, name, pretty) => {
    if (!(name in TOKENS)) return whole;
    const day = words(at, TOKENS.date);
    const near = { yesterday: NOW - DAY, today: NOW, tomorrow: NOW + DAY };
    const close = Object.keys(near).find((word) => words(near[word], TOKENS.date) === day);
    return (pretty && close) || words(at, TOKENS[name]);
  });
}

export const clock = () => words(NOW, TOKENS.time);

function words(at, options) {
  return new Intl.DateTimeFormat("en-US", { timeZone: ZONE, ...options }).format(new Date(at * 1000));
}
