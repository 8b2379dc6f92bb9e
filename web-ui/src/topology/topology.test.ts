import { expect, test } from 'vitest';

import { fitted, layout, zoomed } from './layout';
import { linksOf, othersIn, withOther, withoutOther } from './links';

const node = (path: string, meta: Record<string, unknown> = {}) => ({ id: `id of ${path}`, path, meta });

const LAB = [
    node('/tb1'),
    node('/tb1/r1', { kind: 'router' }),
    node('/tb1/r1/p1', { kind: 'port', link: '/tb1/s1/p1' }),
    node('/tb1/r1/p2', { kind: 'port', links: ['/tb1/s1/p2', 'id of /tb2/r2/p1'] }),
    node('/tb1/s1', { kind: 'switch' }),
    // The other end may say it, too: that is one cable.
    node('/tb1/s1/p1', { link: '/tb1/r1/p1' }),
    node('/tb1/s1/p2'),
    node('/tb2'),
    node('/tb2/r2', { kind: 'router' }),
    node('/tb2/r2/p1', { kind: 'port', Link: '/gone' }),
    node('/tb2/r2/p2', { kind: 'port', link: '/tb2/r2/p2' }),
];

test('a cable is one however many of its ends say so, and joins devices', () => {
    const { links, dangling, devices } = linksOf(LAB);
    expect(links.map(({ ends }) => ends.join(' '))).toEqual([
        '/tb1/r1/p1 /tb1/s1/p1',
        '/tb1/r1/p2 /tb1/s1/p2',
        '/tb1/r1/p2 /tb2/r2/p1',
    ]);
    expect(links[0]?.statedBy.map(({ path }) => path)).toEqual(['/tb1/r1/p1', '/tb1/s1/p1']);
    expect(devices).toEqual(['/tb1/r1', '/tb1/s1', '/tb2/r2']);
    // What names nothing, or itself, is told and not drawn.
    expect(dangling.map(({ path, value }) => `${path} ${value}`)).toEqual([
        '/tb2/r2/p1 /gone',
        '/tb2/r2/p2 /tb2/r2/p2',
    ]);
    expect(linksOf([])).toEqual({ links: [], dangling: [], devices: [] });
});

test('a property of any shape is read, and others stay when one end is added or taken', () => {
    expect(othersIn([' /a ', ['/b'], 4, null, ''])).toEqual(['/a', '/b']);
    expect(withOther(undefined, '/a')).toBe('/a');
    expect(withOther('/a', '/b')).toEqual(['/a', '/b']);
    expect(withOther(['/a', '/b'], '/b')).toEqual(['/a', '/b']);
    expect(withoutOther(['/a', '/b'], '/b')).toBe('/a');
    expect(withoutOther('/a', '/a')).toBeNull();
    expect(withoutOther(['/a', '/b', '/c'], '/b')).toEqual(['/a', '/c']);
});

test('the same lab gives the same picture, and nobody stands on another', () => {
    const { links, devices } = linksOf(LAB);
    const once = layout(devices, links, new Map());
    expect(layout(devices, links, new Map())).toEqual(once);
    const spots = [...once.values()];
    for (const [nth, one] of spots.entries())
        for (const other of spots.slice(nth + 1))
            expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeGreaterThan(60);
});

test('what was placed stays where it is when something comes', () => {
    const placed = new Map([
        ['/a', { x: 10, y: 20 }],
        ['/b', { x: 400, y: 20 }],
    ]);
    const links = [{ devices: ['/a', '/c'] as const }];
    const after = layout(['/a', '/b', '/c'], links, placed);
    expect(after.get('/a')).toEqual({ x: 10, y: 20 });
    expect(after.get('/b')).toEqual({ x: 400, y: 20 });
    const new_ = after.get('/c') ?? { x: Infinity, y: 0 };
    expect(Math.hypot(new_.x - 10, new_.y - 20)).toBeLessThan(400);
});

test('some hundreds of devices settle in a moment, and numbers stay numbers', () => {
    const devices = Array.from({ length: 400 }, (_, nth) => `/d${nth}`);
    const links = devices
        .slice(1)
        .map((device, nth) => ({ devices: [device, `/d${Math.floor(nth / 3)}`] as const }));
    for (const { x, y } of layout(devices, links, new Map()).values())
        expect(Number.isFinite(x) && Number.isFinite(y)).toBe(true);
});

test('all is seen at first, and what is under the pointer stays under it', () => {
    const view = fitted(
        [
            { x: -1_000, y: 0 },
            { x: 1_000, y: 500 },
        ],
        800,
        600,
    );
    for (const { x, y } of [
        { x: -1_000, y: 0 },
        { x: 1_000, y: 500 },
    ]) {
        expect(x * view.scale + view.x).toBeGreaterThanOrEqual(0);
        expect(x * view.scale + view.x).toBeLessThanOrEqual(800);
        expect(y * view.scale + view.y).toBeLessThanOrEqual(600);
    }
    const at = { x: 300, y: 200 };
    const under = (of: typeof view) => ((at.x - of.x) / of.scale).toFixed(6);
    expect(under(zoomed(view, 1.2, at))).toBe(under(view));
    expect(zoomed(view, 1e9, at).scale).toBe(2);
});
