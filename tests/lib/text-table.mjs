// A table in plain text: the first column to the left, the others to the right.

/**
 * @param {readonly (readonly (string | number)[])[]} rows the first row is the head
 * @returns {string} lines without a newline at the end
 */
export function textTable(rows) {
  const cells = rows.map((row) => row.map(String));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? '').length)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
