/* What slack-blocks-to-jsx 1.1.1 gets wrong, said in a way that it gets right. */

export function mended(value) {
  if (Array.isArray(value)) return value.map(mended);
  if (typeof value !== "object" || value === null) return value;
  const fix = FIXES[value.type] ?? ((one) => one);
  return fix(Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mended(one)])));
}

const FIXES = {
  // It finds markup in plain text, which Slack shows as it stands.
  plain_text: (one) => ({ ...one, text: hidden(one.text, one.emoji === false) }),
  // It takes `verbatim` for "no markup at all", where Slack means links alone; and in bold it loses code.
  mrkdwn: ({ verbatim, ...one }) => ({ ...one, text: one.text.replace(/\*(`[^`\n]+`)\*/g, "$1") }),
  // It shows no choice before a press.
  static_select: ({ initial_option: chosen, ...menu }) =>
    chosen ? { ...menu, placeholder: chosen.text, action_id: `chosen ${menu.action_id}` } : menu,
  // It draws every field as a large one.
  plain_text_input: (one) => (one.multiline ? one : { ...one, action_id: `line ${one.action_id}` }),
  // It draws a box in a box and counts what is chosen, where Slack names it.
  multi_static_select: ({ action_id, initial_options: chosen = [] }) => ({
    type: "plain_text_input",
    action_id,
    multiline: true,
    initial_value: chosen.map((one) => one.text.text).join(" · "),
  }),
  // It doesn't say what may stay empty.
  input: (one) =>
    one.optional ? { ...one, label: { ...one.label, text: `${one.label.text} (optional)` } } : one,
};

/* What has a meaning to the library goes past it as private characters, which `revealed` turns back. */
const MARKS = "*_~`<>&:";
const PRIVATE = 0xe000;

function hidden(text, colons) {
  const mark = colons ? /[*_~`<>&:]/g : /[*_~`<>&]/g;
  return text.replace(mark, (one) => String.fromCharCode(PRIVATE + MARKS.indexOf(one)));
}

export function revealed(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    node.data = node.data.replace(/[\ue000-\ue007]/g, (one) => MARKS[one.charCodeAt(0) - PRIVATE]);
  }
}
