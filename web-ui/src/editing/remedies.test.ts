import { expect, test } from 'vitest';

import { Places, remedyFor, remedyOf } from './remedies';

const mended = (text: string, line: number, column: number, message: string, help: string) =>
    remedyOf({ line, column, message, help }, new Places(text), () => 'fresh');

test('a word that was meant otherwise is written as it was meant', () => {
    const text = '\ufeff<Root>\r\n  <libraries>ü😀 netlb;x</libraries>\r\n</Root>';
    expect(mended(text, 2, 17, 'library `netlb` is not there', 'did you mean `net&lib`?')).toEqual({
        name: 'Write net&lib',
        text: text.replace('netlb', 'net&amp;lib'),
    });
    // The first line begins behind the byte order mark.
    expect(mended('\ufeff<Rot></Rot>', 1, 1, 'unknown element <Rot>', 'did you mean `Root`?')?.text).toBe(
        '\ufeff<Root></Root>',
    );
});

test('an element is renamed at both its ends', () => {
    const text = '<Root>\n  <Repaet a="1">2</Repaet>\n  <Repaet/>\n</Root>';
    const told = ['unknown element <Repaet> of <TestCase>', 'did you mean `Repeat`?'] as const;
    expect(mended(text, 2, 3, ...told)?.text).toBe(
        '<Root>\n  <Repeat a="1">2</Repeat>\n  <Repaet/>\n</Root>',
    );
    expect(mended(text, 3, 3, ...told)?.text).toBe(
        '<Root>\n  <Repaet a="1">2</Repaet>\n  <Repeat/>\n</Root>',
    );
});

test('an ID that is used twice becomes one of its own', () => {
    expect(mended('<ID>a</ID><ID>a</ID>', 1, 15, 'ID `a` is used twice', 'give each its own')).toEqual({
        name: 'Give it an ID of its own',
        text: '<ID>a</ID><ID>fresh</ID>',
    });
});

test('where a person has to think nothing is offered', () => {
    for (const [line, column, message, help] of [
        [1, 1, 'something is wrong', 'mend it'],
        [1, 4, 'library `b` is not there', 'did you mean `c`?'],
        [9, 1, 'library `a` is not there', 'did you mean `c`?'],
        [1, 0, 'library `a` is not there', 'did you mean `c`?'],
        [1, 1, 'unknown element <x>', 'did you mean `y`?'],
        [1, 4, 'library `a` is not there', 'known here: b, c'],
    ] as const)
        expect(mended('<a>a</a>', line, column, message, help), message).toBeUndefined();
});

test('a problem that has moved is mended where it is now, and one that is gone is not', () => {
    const told = { message: 'unknown element <Repaet> of <TestCase>', help: 'did you mean `Repeat`?' };
    const text = '<Root>\n<!-- new -->\n<a><Repaet/></a>\n<b><Repaet/></b>\n</Root>';
    const problems = [
        { ...told, line: 3, column: 4 },
        { ...told, line: 4, column: 4 },
    ];
    const mend = (line: number, now = problems) =>
        remedyFor({ ...told, line }, 'Write Repeat', text, now, () => 'fresh');
    expect(mend(3)).toContain('<a><Repeat/></a>\n<b><Repaet/></b>');
    expect(mend(5)).toContain('<a><Repaet/></a>\n<b><Repeat/></b>');
    expect(mend(3, [])).toBeUndefined();
    expect(remedyFor({ ...told, line: 3 }, 'Write other', text, problems, () => 'x')).toBeUndefined();
});
