// Rows that are buttons, walked by the arrows as a list is.

const BY: Readonly<Record<string, number>> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };

/** Goes to the row above or below. Answers whether the key was one for that. */
export function move(event: KeyboardEvent): boolean {
    const row = event.currentTarget;
    if (!(row instanceof HTMLElement)) return false;
    const by = event.ctrlKey || event.altKey || event.metaKey ? undefined : BY[event.key];
    const list = row.closest('ul');
    if (by === undefined || list === null) return false;
    event.preventDefault();
    event.stopPropagation();
    const rows = [...list.querySelectorAll<HTMLElement>('[data-row]')];
    rows[rows.indexOf(row) + by]?.focus();
    return true;
}
