// Every address of the pages: read here, and built here, so that a link cannot be wrong.
//
// What a page shows besides (filters, the chosen test, the open pane) is in the query, which `state/place` keeps.

/** Where in the application one is. */
export type Route =
    | { page: 'runs' }
    | { page: 'start' }
    | { page: 'run'; run: number; test?: number }
    | { page: 'projects' }
    | { page: 'project'; project: string }
    | { page: 'configs' }
    | { page: 'config'; config: string }
    | { page: 'globals' }
    | { page: 'bindings' }
    | { page: 'files'; file?: string }
    | { page: 'book'; name?: string }
    | { page: 'tour' }
    | { page: 'lab'; path: string }
    | { page: 'leases' }
    | { page: 'lease'; lease: number }
    | { page: 'calendar' }
    | { page: 'health' }
    | { page: 'console' }
    | { page: 'eps'; ep?: string }
    | { page: 'reports'; report?: string }
    | { page: 'shared'; link: string }
    | { page: 'people'; pane: PeoplePane }
    | { page: 'engine'; pane: EnginePane }
    | { page: 'setting'; file: string }
    | { page: 'login' }
    | { page: 'alone'; part: string }
    | { page: 'nowhere'; path: string };

/** What the engine's page shows. */
export const ENGINE_PANES = ['overview', 'settings', 'log', 'audit'] as const;

/** What the page of people shows; oneself comes first. */
export const PEOPLE_PANES = ['me', 'users', 'groups', 'tokens', 'sessions'] as const;

export type PeoplePane = (typeof PEOPLE_PANES)[number];

export type EnginePane = (typeof ENGINE_PANES)[number];

/** The values of a query, in the order in which they are shown. */
export type Query = Record<string, string | undefined>;

/** The route of a path. */
export function routeOf(path: string): Route {
    const [first = '', ...rest] = path.split('/').filter(Boolean).map(decoded);
    const [second, third, fourth] = rest;
    const nowhere: Route = { page: 'nowhere', path };
    switch (first) {
        case '':
            return { page: 'runs' };
        case 'runs':
            return rest.length === 0
                ? { page: 'runs' }
                : (runRoute(second, third, fourth, rest.length) ?? nowhere);
        case 'projects':
            if (rest.length > 1) return nowhere;
            return second === undefined ? { page: 'projects' } : { page: 'project', project: second };
        case 'configs':
            if (rest.length > 1) return nowhere;
            return second === undefined ? { page: 'configs' } : { page: 'config', config: second };
        case 'globals':
            return rest.length === 0 ? { page: 'globals' } : nowhere;
        case 'bindings':
            return rest.length === 0 ? { page: 'bindings' } : nowhere;
        case 'tour':
            return rest.length === 0 ? { page: 'tour' } : nowhere;
        case 'book':
            if (rest.length > 1) return nowhere;
            return second === undefined ? { page: 'book' } : { page: 'book', name: second };
        case 'files':
            return rest.length === 0 ? { page: 'files' } : { page: 'files', file: rest.join('/') };
        case 'people': {
            const pane = PEOPLE_PANES.find((pane) => pane === (second ?? 'me'));
            return pane && rest.length <= 1 ? { page: 'people', pane } : nowhere;
        }
        case 'lab':
            return { page: 'lab', path: rest.map((name) => `/${name}`).join('') };
        case 'leases': {
            if (rest.length === 0) return { page: 'leases' };
            const lease = whole(second ?? '');
            return lease !== undefined && rest.length === 1 ? { page: 'lease', lease } : nowhere;
        }
        case 'calendar':
            return rest.length === 0 ? { page: 'calendar' } : nowhere;
        case 'health':
            return rest.length === 0 ? { page: 'health' } : nowhere;
        case 'console':
            return rest.length === 0 ? { page: 'console' } : nowhere;
        case 'eps':
            if (rest.length > 1) return nowhere;
            return second === undefined ? { page: 'eps' } : { page: 'eps', ep: second };
        case 'reports':
            if (rest.length > 1) return nowhere;
            return second === undefined ? { page: 'reports' } : { page: 'reports', report: second };
        case 'shared':
            return second !== undefined && rest.length === 1 ? { page: 'shared', link: second } : nowhere;
        case 'engine': {
            if (second === 'settings' && rest.length > 1)
                return { page: 'setting', file: rest.slice(1).join('/') };
            const pane = ENGINE_PANES.find((pane) => pane === (second ?? 'overview'));
            return pane && rest.length <= 1 ? { page: 'engine', pane } : nowhere;
        }
        case 'login':
            return rest.length === 0 ? { page: 'login' } : nowhere;
        case 'alone':
            return second !== undefined && rest.length === 1 ? { page: 'alone', part: second } : nowhere;
        default:
            return nowhere;
    }
}

function runRoute(second = '', third = '', fourth = '', length: number): Route | undefined {
    if (second === 'new' && length === 1) return { page: 'start' };
    const run = whole(second);
    if (run === undefined) return undefined;
    if (length === 1) return { page: 'run', run };
    const test = third === 'tests' ? whole(fourth) : undefined;
    return test !== undefined && length === 3 ? { page: 'run', run, test } : undefined;
}

/** A number as ids are written; nothing for any other text. */
function whole(text: string): number | undefined {
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A part of a path as it was meant; one that was not encoded right stands for itself. */
function decoded(part: string): string {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}

/** The address of a route, with a query. */
export function href(route: Route, query: Query = {}): string {
    const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
    const text = new URLSearchParams(given).toString();
    return text === '' ? pathOf(route) : `${pathOf(route)}?${text}`;
}

/** A path whose parts may have anything in them. */
const encoded = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

function pathOf(route: Route): string {
    switch (route.page) {
        case 'runs':
            return '/runs';
        case 'start':
            return '/runs/new';
        case 'run':
            return route.test === undefined ? `/runs/${route.run}` : `/runs/${route.run}/tests/${route.test}`;
        case 'projects':
            return '/projects';
        case 'project':
            return `/projects/${encodeURIComponent(route.project)}`;
        case 'configs':
            return '/configs';
        case 'config':
            return `/configs/${encodeURIComponent(route.config)}`;
        case 'globals':
            return '/globals';
        case 'bindings':
            return '/bindings';
        case 'tour':
            return '/tour';
        case 'book':
            return route.name === undefined ? '/book' : `/book/${encodeURIComponent(route.name)}`;
        case 'files':
            return route.file === undefined ? '/files' : `/files/${encoded(route.file)}`;
        case 'people':
            return route.pane === 'me' ? '/people' : `/people/${route.pane}`;
        case 'lab':
            return `/lab${encoded(route.path)}`;
        case 'leases':
            return '/leases';
        case 'lease':
            return `/leases/${route.lease}`;
        case 'calendar':
            return '/calendar';
        case 'health':
            return '/health';
        case 'console':
            return '/console';
        case 'eps':
            return route.ep === undefined ? '/eps' : `/eps/${encodeURIComponent(route.ep)}`;
        case 'reports':
            return route.report === undefined ? '/reports' : `/reports/${encodeURIComponent(route.report)}`;
        case 'shared':
            return `/shared/${encodeURIComponent(route.link)}`;
        case 'engine':
            return route.pane === 'overview' ? '/engine' : `/engine/${route.pane}`;
        case 'setting':
            return `/engine/settings/${encoded(route.file)}`;
        case 'login':
            return '/login';
        case 'alone':
            return `/alone/${encodeURIComponent(route.part)}`;
        case 'nowhere':
            return route.path;
    }
}
