// Which roles open which page. What somebody may not see is not offered, and its address says which role would open it; the engine
// refuses it as well.

import type { Route } from '../routes';
import { READ_PROJECTS, session, WATCH, type Role } from '../state/session.svelte';

/** What a page shows, and the roles of which one opens it. */
export type Opens = { what: string; roles: readonly Role[] };

const READ_LAB: readonly Role[] = ['VIEW_REPORTS', 'CHANGE_TESTBED', 'CHANGE_SUT'];

const READ_LEASES: readonly Role[] = ['VIEW_REPORTS', 'LOCK_TESTBED', 'LOCK_SUT', 'CHANGE_TESTBED'];

/** Each of these opens some files of settings; with the first they are seen, and tried. */
const EDIT_SETTINGS: readonly Role[] = ['CHANGE_FWM_CFG', 'CHANGE_DB_CFG', 'CHANGE_EML_CFG'];
export const SETTINGS: readonly Role[] = ['CHANGE_SERVICES', ...EDIT_SETTINGS];

/** A page that is not here is everybody's, at least in part. */
const OPENS: Partial<Record<Route['page'], Opens>> = {
    runs: { what: 'runs', roles: WATCH },
    run: { what: 'runs', roles: WATCH },
    start: { what: 'starting runs', roles: ['RUN_TESTS'] },
    projects: { what: 'projects', roles: READ_PROJECTS },
    project: { what: 'projects', roles: READ_PROJECTS },
    configs: { what: 'test configurations', roles: READ_PROJECTS },
    config: { what: 'test configurations', roles: READ_PROJECTS },
    bindings: { what: 'bindings', roles: READ_PROJECTS },
    files: { what: 'test files', roles: READ_PROJECTS },
    globals: { what: 'global parameters', roles: ['CHANGE_GLOBALS', 'RUN_TESTS'] },
    lab: { what: 'the devices of the lab', roles: READ_LAB },
    leases: { what: 'leases', roles: READ_LEASES },
    lease: { what: 'leases', roles: READ_LEASES },
    calendar: { what: 'the calendar', roles: READ_LEASES },
    health: { what: 'the health of devices', roles: READ_LAB },
    console: { what: 'consoles', roles: ['VIEW_REPORTS', 'RUN_TESTS', 'CHANGE_TESTBED'] },
    eps: { what: 'Execution Processes', roles: ['VIEW_REPORTS'] },
    reports: { what: 'reports', roles: ['VIEW_REPORTS'] },
    engine: { what: 'the engine', roles: ['VIEW_REPORTS', ...SETTINGS] },
    setting: { what: 'files of settings', roles: EDIT_SETTINGS },
};

/** What somebody lacks for a page; nothing where it is open to them. */
export function lacked(page: Route['page']): Opens | undefined {
    const opens = OPENS[page];
    return opens === undefined || session.mayAny(opens.roles) ? undefined : opens;
}

/** Where somebody begins who has asked for no page: where they have something to do. */
export function home(): Route | undefined {
    if (session.mayWatch) return undefined;
    if (session.mayReadProjects) return { page: 'projects' };
    if (session.mayAny(READ_LAB)) return { page: 'lab', path: '' };
    return { page: 'people', pane: 'me' };
}
