import { expect, test } from 'vitest';

import { href, routeOf, type Route } from './routes';

const ROUTES: [string, Route][] = [
    ['/runs', { page: 'runs' }],
    ['/runs/new', { page: 'start' }],
    ['/runs/41', { page: 'run', run: 41 }],
    ['/runs/41/tests/3', { page: 'run', run: 41, test: 3 }],
    ['/configs', { page: 'configs' }],
    ['/configs/tb%2Fslow', { page: 'config', config: 'tb/slow' }],
    ['/globals', { page: 'globals' }],
    ['/bindings', { page: 'bindings' }],
    ['/tour', { page: 'tour' }],
    ['/book', { page: 'book' }],
    ['/book/first-hour', { page: 'book', name: 'first-hour' }],
    ['/files', { page: 'files' }],
    ['/files/switch/r%26d%20x.py', { page: 'files', file: 'switch/r&d x.py' }],
    ['/people', { page: 'people', pane: 'me' }],
    ['/people/users', { page: 'people', pane: 'users' }],
    ['/lab', { page: 'lab', path: '' }],
    ['/lab/tb1/r%26d%20x', { page: 'lab', path: '/tb1/r&d x' }],
    ['/leases', { page: 'leases' }],
    ['/leases/7', { page: 'lease', lease: 7 }],
    ['/calendar', { page: 'calendar' }],
    ['/health', { page: 'health' }],
    ['/console', { page: 'console' }],
    ['/eps', { page: 'eps' }],
    ['/eps/EP-1001', { page: 'eps', ep: 'EP-1001' }],
    ['/reports', { page: 'reports' }],
    ['/reports/Pass%20%2F%20Fail', { page: 'reports', report: 'Pass / Fail' }],
    ['/engine', { page: 'engine', pane: 'overview' }],
    ['/engine/audit', { page: 'engine', pane: 'audit' }],
    ['/shared/jackfield_0f', { page: 'shared', link: 'jackfield_0f' }],
    ['/engine/settings/mail_rules', { page: 'setting', file: 'mail_rules' }],
    ['/engine/settings/profiles/a%20b.toml', { page: 'setting', file: 'profiles/a b.toml' }],
    ['/engine/settings', { page: 'engine', pane: 'settings' }],
    ['/login', { page: 'login' }],
    ['/alone/tree', { page: 'alone', part: 'tree' }],
];

test('every address is read as it was built', () => {
    for (const [path, route] of ROUTES) {
        expect(routeOf(path), path).toEqual(route);
        expect(href(route), path).toBe(path);
    }
});

test('an address of nothing says so, and keeps what was asked for', () => {
    for (const path of [
        '/nothing',
        '/runs/x',
        '/runs/41/x',
        '/runs/41/tests/x',
        '/runs/1e3',
        '/eps/a/b',
        '/engine/x',
        '/%E0%A4%A',
    ]) {
        expect(routeOf(path), path).toEqual({ page: 'nowhere', path });
    }
});

test('what a page shows is in its query, without what is not set', () => {
    expect(href({ page: 'runs' }, { state: 'running', user: undefined, text: 'a&b' })).toBe(
        '/runs?state=running&text=a%26b',
    );
});
