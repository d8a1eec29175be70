/* Blocks as slack-blocks-to-jsx draws them, except for data_table, which it doesn't know. */
import { Message } from "slack-blocks-to-jsx";
import { DataTable } from "./table.jsx";
import { spoken } from "./dates.js";
import { mended } from "./mended.js";

const PEOPLE = ["anna", "grace", "edsger", "barbara"]; // whoever is mentioned first is the first

export function Blocks({ snapshot, theme }) {
  const met = [...new Set(JSON.stringify(snapshot.blocks).match(/(?<=<@)\w+/g))];
  const hooks = {
    date: ({ timestamp, format }) => spoken(timestamp, format),
    emoji: (found, draw) => {
      const drawn = draw(found);
      return drawn === found.name ? `:${found.name}:` : drawn; // "10:00-12:30" holds no emoji
    },
    user: ({ id }) => <span className="mention">@{PEOPLE[met.indexOf(id)] ?? id}</span>,
  };
  return runs(snapshot.blocks.map(mended)).map((run, index) =>
    run.table ? (
      <DataTable key={index} block={run.table} />
    ) : (
      <Message
        key={index}
        blocks={run.blocks}
        theme={theme}
        withoutWrapper
        name=""
        logo=""
        hooks={hooks}
      />
    ),
  );
}

/* The library draws a list of blocks at a time, so tables cut the list in pieces. */
function runs(blocks) {
  const found = [];
  for (const block of blocks) {
    if (block.type === "data_table") {
      found.push({ table: block });
    } else if (found.at(-1)?.blocks) {
      found.at(-1).blocks.push(block);
    } else {
      found.push({ blocks: [block] });
    }
  }
  return found;
}
