// Characters that cannot be seen, or that turn the text around them, made visible: what a device or a test calls itself must
// not be able to look like something else.

/** Control characters but tab, and the marks that change the direction of what follows or have no width. */
export const UNSEEN =
    /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** ␀ to ␡ for the old control characters, the number for all others. */
export function pictured(character: string): string {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return '\u2421';
    return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** A name from outside, fit to be shown in one line. */
export function shown(text: string): string {
    return text.replaceAll(UNSEEN, pictured).replaceAll('\t', pictured('\t'));
}

/** A text from outside of several lines, whose line breaks and tabs stay. */
export function visible(text: string): string {
    return text.replaceAll(UNSEEN, (character) => (character === '\n' ? character : pictured(character)));
}
