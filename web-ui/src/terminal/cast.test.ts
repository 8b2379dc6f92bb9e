import { expect, it } from 'vitest';

import { CastError, happened, Pace, readCast } from './cast';

const recording = [
    '{"version": 2, "width": 100, "height": 30, "timestamp": 1764460800, "title": "/tb1/r1"}',
    '[0.0, "o", "r1# "]',
    '[1.5, "i", "show\\r"]',
    '[2, "x", "of a later version"]',
    '[2.5, "m", "step"]',
    '[62.5, "r", "120x40"]',
    '[63, "o", "<b>done</b>"]',
    '',
].join('\n');

it('reads what the EP writes', () => {
    const cast = readCast(recording);
    expect([cast.title, cast.begun, cast.columns, cast.rows, cast.length, cast.isCut]).toEqual([
        '/tb1/r1',
        1_764_460_800_000,
        100,
        30,
        63,
        false,
    ]);
    expect(cast.events.map(({ kind }) => kind)).toEqual(['output', 'input', 'mark', 'size', 'output']);
    expect(cast.events[3]).toEqual({ at: 62.5, kind: 'size', columns: 120, rows: 40 });
});

it('leaves out a last line that was cut off, and says so', () => {
    const cast = readCast(`${recording}[64, "o", "cu`);
    expect([cast.events.length, cast.isCut]).toEqual([5, true]);
});

it('says which line is no recording', () => {
    const why = (text: string): string => {
        try {
            readCast(text);
            return '';
        } catch (thrown) {
            return thrown instanceof CastError ? thrown.message : String(thrown);
        }
    };
    expect(why('')).toBe('line 1 of the recording is no header of asciicast version 2');
    expect(why('{"version": 3}\n')).toBe('line 1 of the recording is no header of asciicast version 2');
    expect(why('{"version": 2}\nx\n')).toBe('line 2 of the recording is no event: [seconds, kind, text]');
    expect(why('{"version": 2}\n[1, "o"]\n')).toBe(
        'line 2 of the recording is no event: [seconds, kind, text]',
    );
});

it('takes no size that a browser would die of', () => {
    const cast = readCast('{"version": 2, "width": 1e9, "height": -3}\n[1, "r", "9999999x0"]\n');
    expect([cast.columns, cast.rows]).toEqual([80, 24]);
    expect(cast.events[0]).toEqual({ at: 1, kind: 'size', columns: 80, rows: 24 });
});

it('plays long silence short, and knows the true time at each moment', () => {
    const { events } = readCast(recording);
    const pace = new Pace(events);
    expect(pace.length).toBeCloseTo(1.5 + 1 + 2 + 0.5);
    expect(pace.toPlayed(63)).toBeCloseTo(5);
    expect(pace.toRecorded(3.5)).toBeCloseTo(32.5);
    for (const at of [0, 0.7, 1.5, 30, 62.6, 63]) expect(pace.toRecorded(pace.toPlayed(at))).toBeCloseTo(at);
    expect(new Pace([]).length).toBe(0);
});

it('knows what has happened at a time', () => {
    const { events } = readCast(recording);
    expect([-1, 0, 1.4, 1.5, 63, 99].map((at) => happened(events, at))).toEqual([0, 1, 1, 2, 5, 5]);
});
