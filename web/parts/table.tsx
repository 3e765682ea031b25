/**
 * A table that a narrow screen shows as a list. The roles repeat what the elements mean, because a table that is laid out
 * as blocks otherwise stops being one for assistive technology. The first cell of each row is its heading.
 */
import type { ComponentChildren, JSX } from "preact";

export interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

export interface Row {
  readonly key: string;
  readonly cells: readonly ComponentChildren[];
  readonly id?: string;
}

export function Table(props: {
  caption: ComponentChildren;
  columns: readonly Column[];
  rows: readonly Row[];
  /** Shown in place of rows when there are none. */
  empty?: string;
  kind?: "list" | "plain";
}): JSX.Element {
  const { columns, rows } = props;
  if (rows.length === 0 && props.empty !== undefined) return <p class="empty">{props.empty}</p>;
  return (
    <div class="table-frame">
      <table role="table" class={props.kind ?? "list"}>
        <caption>{props.caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th role="columnheader" scope="col" class={numberClass(column)} key={column.name}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr role="row" key={row.key} id={row.id ?? ""}>
              {row.cells.map((cell, index) => {
                const column = columns[index] ?? { name: "" };
                return index === 0 ? (
                  <th role="rowheader" scope="row" class={numberClass(column)} key={column.name}>
                    {cell}
                  </th>
                ) : (
                  <td role="cell" data-label={column.name} class={numberClass(column)} key={column.name}>
                    {cell}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function numberClass(column: Column): string {
  return column.isNumber === true ? "n" : "";
}
