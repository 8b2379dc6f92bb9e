// What a new test file begins with: the words in its comments that pages and reports show. Pure.

const COMMENTS: Readonly<Record<string, string>> = {
    py: '#',
    tcl: '#',
    exp: '#',
    sh: '#',
    pl: '#',
    rb: '#',
    robot: '#',
    toml: '#',
    lua: '--',
    js: '//',
    java: '//',
};

/** The beginning of a test file of this name; nothing where it is not known how a comment is written there. */
export function beginning(file: string): string {
    const [, stem = '', ending = ''] = /([^/]*?)(?:\.([^./]+))?$/.exec(file) ?? [];
    const comment = COMMENTS[ending.toLowerCase()];
    if (comment === undefined) return '';
    const title = stem.replaceAll(/[_-]+/g, ' ').trim();
    const first = ending === 'sh' ? '#!/bin/sh\n' : '';
    return `${first}${comment} <title>${title}</title>\n${comment} <description></description>\n\n`;
}
