import { expect, it } from 'vitest';

import { plain, spans } from './ansi';

const ESC = '\u001b';

/** As one line: each span with its looks in front, control characters in brackets. */
function told(line: string): string {
    return spans(line)
        .spans.map(({ text, look, isControl }) => {
            const looks = Object.entries(look)
                .filter(([, value]) => value !== undefined)
                .map(([name, value]) => (value === true ? name : `${name}:${String(value)}`));
            return `${looks.length > 0 ? `{${looks.join(' ')}}` : ''}${isControl ? `[${text}]` : text}`;
        })
        .join('|');
}

it('reads colours and weights', () => {
    expect(told('plain')).toBe('plain');
    expect(told(`${ESC}[31mred${ESC}[0m not`)).toBe('{fg:1}red| not');
    expect(told(`${ESC}[1;4;97;41mloud${ESC}[22;24m less${ESC}[m`)).toBe(
        '{bold underline fg:15 bg:1}loud|{fg:15 bg:1} less',
    );
    expect(told(`${ESC}[38;5;196ma${ESC}[38;5;9mb${ESC}[38;5;244mc`)).toBe(
        '{fg:#ff0000}a|{fg:9}b|{fg:#808080}c',
    );
    expect(told(`${ESC}[48;2;1;2;300mx${ESC}[38:5:3my${ESC}[39;49mz`)).toBe(
        '{bg:#0102ff}x|{bg:#0102ff fg:3}y|z',
    );
    expect(told(`${ESC}[38;9mx${ESC}[99my`), 'what nobody knows changes nothing').toBe('x|y');
});

it('carries the look of one line into the next', () => {
    const first = spans(`${ESC}[32mone`);
    expect(spans('two', first.look).spans).toEqual([
        { text: 'two', at: 0, look: { fg: '2' }, isControl: false },
    ]);
});

it('drops what moves a cursor, names a window, or was cut off', () => {
    expect(told(`a${ESC}[2K${ESC}[1;1Hb`)).toBe('a|b');
    expect(told(`a${ESC}]0;title\u0007b${ESC}]8;;http://x${ESC}\\c`)).toBe('a|b|c');
    expect(told(`a${ESC}(Bb${ESC}7c${ESC}`)).toBe('a|b|c');
    expect(told(`a${ESC}[31`)).toBe('a');
    expect(told(`a${ESC}P1$r${ESC}\\b`)).toBe('a|b');
});

it('shows what cannot be seen, and keeps its direction', () => {
    expect(told('a\u0000b\u0007')).toBe('a|[␀]|b|[␇]');
    expect(told('abc\u202edcb')).toBe('abc|[<U+202E>]|dcb');
    expect(told('a\u200bb\ufeff\u2067')).toBe('a|[<U+200B>]|b|[<U+FEFF>]|[<U+2067>]');
    expect(told('tab\tstays')).toBe('tab\tstays');
    expect(told('\u0085\u007f')).toBe('[<U+0085>]|[␡]');
});

it('leaves markup what it is: text', () => {
    expect(told('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>');
});

it('shows the last state of a line that is drawn again and again', () => {
    expect(told('10 %\r50 %\r100 %\r')).toBe('100 %');
    expect(told('line of a device\r')).toBe('line of a device');
});

it('knows where each span stands in the line', () => {
    const line = `old\r${ESC}[1mab\u0000cd`;
    for (const span of spans(line).spans.filter(({ isControl }) => !isControl)) {
        expect(line.slice(span.at, span.at + span.text.length)).toBe(span.text);
    }
    expect(spans(line).spans.map(({ at }) => at)).toEqual([8, 10, 11]);
});

it('copies the text alone', () => {
    expect(plain(`${ESC}[31mred${ESC}[0m\ttab\u202e\r`)).toBe('red\ttab\u202e');
});

it('reads a hostile line of a megabyte in time that grows with its length, not with its square', () => {
    const line = `${ESC}[`.repeat(500_000);
    const begun = performance.now();
    spans(line);
    plain(line);
    expect(performance.now() - begun).toBeLessThan(10_000);
});
