// Properties as fields: what is typed is JSON where it is JSON, as on the command line, and text otherwise. Pure.

/** A property as it is typed. `was` is its name before; none for a new one. */
export type Field = { was: string | undefined; name: string; text: string };

/** A value as it is typed. A text that would be read as something else stands in quotes. */
export function typed(value: unknown): string {
    return typeof value === 'string' && valueIn(value) === value ? value : JSON.stringify(value);
}

/** What a typed text means. */
export function valueIn(text: string): unknown {
    try {
        return JSON.parse(text) as unknown;
    } catch {
        return text;
    }
}

export function fieldsOf(properties: Readonly<Record<string, unknown>>): Field[] {
    return Object.entries(properties)
        .sort(([one], [other]) => one.localeCompare(other))
        .map(([name, value]) => ({ was: name, name, text: typed(value) }));
}

/** What is different from before: null for what is gone. A field without a name, and a new one without a value, says nothing. */
export function changesOf(
    before: Readonly<Record<string, unknown>>,
    fields: readonly Field[],
): Record<string, unknown> {
    const after = new Map<string, unknown>();
    for (const { was, name, text } of fields) {
        const key = name.trim();
        if (key === '' || (was === undefined && text === '')) continue;
        // An empty field removes what was there, as `key=` does on the command line; an empty text is written `""`.
        if (text !== '') after.set(key, valueIn(text));
    }
    const change: Record<string, unknown> = {};
    for (const key of Object.keys(before)) if (!after.has(key)) change[key] = null;
    for (const [key, value] of after)
        if (JSON.stringify(value) !== JSON.stringify(before[key])) change[key] = value;
    return change;
}
