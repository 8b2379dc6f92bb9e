import { expect, test } from 'vitest';

import { EventCutter } from './sse';

test('events come whole, however the pieces are cut', () => {
    const text =
        'id: 7\nevent: run\ndata: {"a": "b: c"}\n\n: nothing new\n\nid: 8\nevent: run\ndata: 1\ndata: 2\n\n';
    const whole = [
        { id: '7', name: 'run', data: '{"a": "b: c"}' },
        { id: '8', name: 'run', data: '1\n2' },
    ];
    expect(new EventCutter().push(text)).toEqual(whole);
    for (let cut = 0; cut < text.length; cut++) {
        const cutter = new EventCutter();
        expect(
            [...cutter.push(text.slice(0, cut)), ...cutter.push(text.slice(cut))],
            `cut at ${cut}`,
        ).toEqual(whole);
    }
});

test('what is not complete is no event', () => {
    expect(new EventCutter().push('id: 7\nevent: run\ndata: {}\n')).toEqual([]);
});
