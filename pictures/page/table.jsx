/* A data_table's first page: sortable heads, a number to the right, and how far the page reaches. */
const PAGE = 5; // what Slack takes when a block says nothing

export function DataTable({ block }) {
  const [heads, ...rows] = block.rows;
  const size = block.page_size ?? PAGE;
  const shown = rows.slice(0, size);
  const numbers = heads.map((_, column) => rows.some((row) => row[column].type === "raw_number"));
  const side = (column) => (numbers[column] ? "number" : undefined);
  return (
    <figure className="data-table">
      <div className="scroll">
        <table>
          <thead>
            <tr>
              {heads.map((head, column) => (
                <th key={column} className={side(column)}>
                  {head.text}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row, index) => (
              <tr key={index}>
                {row.map((cell, column) => (
                  <td
                    key={column}
                    className={[side(column), column === (block.row_header_column_index ?? 0) && "name"]
                      .filter(Boolean)
                      .join(" ")}
                  >
                    {cell.text ?? words(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <figcaption>
        <span>
          {rows.length > size ? `1–${size} of ${rows.length}` : `${rows.length} ${rows.length === 1 ? "row" : "rows"}`}
        </span>
        {rows.length > size && (
          <span className="pages">
            <i className="off">‹</i>
            <i>›</i>
          </span>
        )}
      </figcaption>
    </figure>
  );
}

/* The words of a rich_text cell. */
function words(value) {
  if (Array.isArray(value)) return value.map(words).join("");
  return value.text ?? words(value.elements ?? []);
}
