// What a table shows of its rows, and in which order: pure, so that a list of a hundred thousand is sorted and kept in the
// address without a browser.

import { natural } from '../parts/natural';

/** A column of rows of one kind. */
export interface Column<T> {
    readonly id: string;
    readonly title: string;
    /** What is shown, copied, and searched. */
    text(row: T): string;
    /** What it is sorted by, where that is not its text. */
    readonly order?: ((row: T) => number | string) | undefined;
    /** Its width as CSS has it: `120px`, `minmax(160px, 2fr)`. */
    readonly width: string;
    /** Numbers stand at the right. */
    readonly isNumber?: boolean | undefined;
}

/** By which columns a table is sorted, the most important first. */
export type Sort = readonly { readonly id: string; readonly isDown: boolean }[];

/** `name,-started`, as the address has it. What names no column is left out. */
export function readSort(text: string | undefined, columns: readonly { id: string }[]): Sort {
    const known = new Set(columns.map(({ id }) => id));
    const wanted = (text ?? '')
        .split(',')
        .map((word) => ({ id: word.replace(/^-/, ''), isDown: word.startsWith('-') }));
    return wanted.filter(({ id }) => known.delete(id));
}

export function writeSort(sort: Sort): string | undefined {
    return sort.length === 0 ? undefined : sort.map(({ id, isDown }) => (isDown ? `-${id}` : id)).join(',');
}

/** The order after a click on a heading: up, down, as it was. With `also`, the columns before stay. */
export function clicked(sort: Sort, id: string, also: boolean): Sort {
    const now = sort.find((each) => each.id === id);
    const others = also ? sort.filter((each) => each.id !== id) : [];
    if (now === undefined) return [...others, { id, isDown: false }];
    if (now.isDown) return others;
    return also ? sort.map((each) => (each.id === id ? { id, isDown: true } : each)) : [{ id, isDown: true }];
}

/** The rows in their order. Rows that are alike stay as they came. */
export function sorted<T>(rows: readonly T[], columns: readonly Column<T>[], sort: Sort): readonly T[] {
    const keys = sort.flatMap(({ id, isDown }) => {
        const column = columns.find((each) => each.id === id);
        if (column === undefined) return [];
        // Read once for each row, not once for each comparison.
        return [{ by: rows.map((row) => column.order?.(row) ?? column.text(row)), way: isDown ? -1 : 1 }];
    });
    if (keys.length === 0) return rows;
    const places = rows.map((_, index) => index);
    places.sort((one, other) => {
        for (const { by, way } of keys) {
            const order = compared(by[one], by[other]);
            if (order !== 0) return order * way;
        }
        return one - other;
    });
    // Each place is one of `rows`.
    return places.map((place) => rows[place] as T);
}

/** Numbers by their size, words as people order them. */
export function compared(one: number | string | undefined, other: number | string | undefined): number {
    if (typeof one === 'number' && typeof other === 'number') return one - other;
    return natural(String(one ?? ''), String(other ?? ''));
}

/** The rows in which each word stands in some column. */
export function matching<T>(rows: readonly T[], columns: readonly Column<T>[], words: string): readonly T[] {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length === 0) return rows;
    return rows.filter((row) => {
        const text = columns
            .map((column) => column.text(row))
            .join('\n')
            .toLowerCase();
        return wanted.every((word) => text.includes(word));
    });
}

/** As a file that spreadsheets read. A text that one of them would take for a formula is quoted as text. */
export function csv<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
    const cell = (text: string): string => {
        const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
        return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    };
    const lines = [
        columns.map(({ title }) => title),
        ...rows.map((row) => columns.map((column) => column.text(row))),
    ];
    return lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('');
}

/** The chosen rows after a click: alone, one more or less, or all from the last clicked one to this. */
export function chosen(
    now: ReadonlySet<string>,
    ids: readonly string[],
    id: string,
    { anchor, range, also }: { anchor: string | undefined; range: boolean; also: boolean },
): Set<string> {
    if (range && anchor !== undefined) {
        const [from, to] = [ids.indexOf(anchor), ids.indexOf(id)].sort((one, other) => one - other);
        const between = ids.slice(Math.max(0, from ?? 0), (to ?? 0) + 1);
        return new Set([...(also ? now : []), ...between]);
    }
    if (!also) return new Set([id]);
    const next = new Set(now);
    if (!next.delete(id)) next.add(id);
    return next;
}
