// Where one is: the address, as a value that pages follow. Every filter, choice and open pane is in it, so that Back
// undoes one step, and a colleague's browser shows the same.

import { href, routeOf, type Query, type Route } from '../routes';

class Place {
    #path = $state(location.pathname);
    #query = $state.raw<Query>(queryOf(location.search));
    #hash = $state(location.hash);

    /** The page, and of what. */
    readonly route: Route = $derived(routeOf(this.#path));

    constructor() {
        addEventListener('popstate', () => this.#read());
        addEventListener('click', (event) => this.#follow(event));
    }

    /** What the page shows besides. */
    get query(): Query {
        return this.#query;
    }

    /** What follows the `#`, without it: a line of a log. */
    get hash(): string {
        return this.#hash.slice(1);
    }

    /** The path alone. */
    get path(): string {
        return this.#path;
    }

    /** The address, to come back to. */
    get address(): string {
        return this.#path + location.search + this.#hash;
    }

    /** Goes to a page. `replace` leaves no step for Back: for what follows a typing person letter by letter. */
    go(route: Route, query: Query = {}, options: { replace?: boolean } = {}): void {
        this.goTo(href(route, query), options);
    }

    /** Goes to an address of ours. */
    goTo(address: string, { replace = false }: { replace?: boolean } = {}): void {
        if (replace) history.replaceState(null, '', address);
        else history.pushState(null, '', address);
        this.#read();
    }

    /** Changes some of what this page shows. */
    set(change: Query, options: { replace?: boolean } = {}): void {
        this.go(this.route, { ...this.#query, ...change }, options);
    }

    /** Changes what follows the `#`. */
    mark(hash: string): void {
        this.goTo(this.#path + location.search + (hash === '' ? '' : `#${hash}`), { replace: true });
    }

    #read(): void {
        this.#path = location.pathname;
        this.#hash = location.hash;
        const query = queryOf(location.search);
        if (JSON.stringify(query) !== JSON.stringify(this.#query)) this.#query = query;
    }

    /** Links are plain links; those to our own pages need no reload. */
    #follow(event: MouseEvent): void {
        const plain =
            event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
        const link = event.target instanceof Element ? event.target.closest('a') : null;
        if (!plain || !link || link.target || link.hasAttribute('download') || event.defaultPrevented) return;
        const outside = link.origin !== location.origin || link.pathname.startsWith('/api/');
        if (outside) return;
        if (link.pathname === location.pathname && link.search === location.search && link.hash !== '')
            return;
        event.preventDefault();
        this.goTo(link.pathname + link.search + link.hash);
    }
}

function queryOf(search: string): Query {
    return Object.fromEntries(new URLSearchParams(search));
}

export const place = new Place();
