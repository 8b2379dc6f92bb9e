// What a report is asked for, as the address has it: values of fields, the column it is sorted by, a text, and the page.

import type { Query } from '../../routes';

/** Rows of a page. */
export const ROWS = 100;

/** Values of fields stand in the address behind this. */
const FIELD = 'f.';

/** What columns are to hold stands in the address behind this, by their number. */
const COLUMN = 'c.';

/** What stands in the address behind these letters, by what follows them. */
function behind(letters: string, query: Query): Record<string, string> {
    const found: Record<string, string> = {};
    for (const [key, value] of Object.entries(query)) {
        if (key.startsWith(letters) && value !== undefined) found[key.slice(letters.length)] = value;
    }
    return found;
}

/** The values of fields. */
export function valuesOf(query: Query): Record<string, string> {
    return behind(FIELD, query);
}

/** The name of a field in the address. */
export function fieldKey(name: string): string {
    return FIELD + name;
}

/** What the columns are to hold, by their number from 1. */
export function filtersOf(query: Query): Record<string, string> {
    return behind(COLUMN, query);
}

/** The name of a column's filter in the address. */
export function filterKey(column: number): string {
    return COLUMN + column;
}

/** What of the address a view keeps: everything but the page. */
export function keptOf(query: Query): Record<string, string> {
    return Object.fromEntries(
        Object.entries(query).filter((entry): entry is [string, string] => !!entry[1] && entry[0] !== 'from'),
    );
}

/** What of the address is asked of the engine: the same for a page, the count, the chart and an export. */
export function askedOf(query: Query): Record<string, string> {
    const asked: Record<string, string> = {};
    for (const [name, value] of Object.entries(valuesOf(query))) asked[`field.${name}`] = value;
    for (const [column, text] of Object.entries(filtersOf(query))) asked[`filter.${column}`] = text;
    if (query['sort']) asked['sort'] = query['sort'];
    if (query['text']) asked['search'] = query['text'];
    return asked;
}

/** The same with the page. */
export function pageOf(query: Query): Record<string, string> {
    return { ...askedOf(query), offset: String(offsetOf(query)), limit: String(ROWS) };
}

/** How many rows are before the page. */
export function offsetOf(query: Query): number {
    const offset = Number(query['from'] ?? 0);
    return Number.isSafeInteger(offset) && offset > 0 ? offset : 0;
}

/** Sorted by a column: up, down, and not at all. */
export function nextSort(sort: string | undefined, column: number): string | undefined {
    if (sort === String(column)) return `-${column}`;
    return sort === `-${column}` ? undefined : String(column);
}

/** An address of the engine for a part of a report. */
export function partOf(report: string, part: string, asked: Record<string, string>): string {
    return asking(`/api/v1/reports/${encodeURIComponent(report)}/${part}`, asked);
}

/** The same of the report that a link opens. */
export function sharedPartOf(link: string, part: string, asked: Record<string, string>): string {
    return asking(`/api/v1/shared/${encodeURIComponent(link)}/${part}`, asked);
}

function asking(path: string, asked: Record<string, string>): string {
    const query = new URLSearchParams(asked).toString();
    return query === '' ? path : `${path}?${query}`;
}
