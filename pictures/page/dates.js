/* Slack's date tokens, in the words of its English client. The pictures' readers live in UTC. */
const DAY = 86_400;
const TOKENS = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  time: { hour: "numeric", minute: "2-digit" },
  time_secs: { hour: "numeric", minute: "2-digit", second: "2-digit" },
};

/* A moment in the words that `format` asks for; `now` makes some of them "today". */
export function spoken(timestamp, format, now) {
  const at = Number(timestamp);
  return format.replace(/\{(\w+?)(_pretty)?\}/g, (whole, name, pretty) => {
    if (!(name in TOKENS)) return whole;
    const days = Math.floor(at / DAY) - Math.floor((now ?? Infinity) / DAY);
    const near = pretty && { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
    return near || words(at, TOKENS[name]);
  });
}

export const clock = (at) => words(at, TOKENS.time);

function words(at, options) {
  return new Intl.DateTimeFormat("en-US", { timeZone: "UTC", ...options }).format(new Date(at * 1000));
}
