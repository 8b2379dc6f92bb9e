// Names of files as folders and what is in them. Pure.

import { natural } from '../../parts/natural';

export type FileNode = {
    readonly path: string;
    readonly name: string;
    readonly isFile: boolean;
    readonly children: FileNode[];
};

/** Files by their paths as a tree: folders first, each by name as people count. */
export function folded(paths: readonly string[]): FileNode[] {
    const root: FileNode = { path: '', name: '', isFile: false, children: [] };
    const folders = new Map<string, FileNode>([['', root]]);
    const folderOf = (path: string): FileNode => {
        const known = folders.get(path);
        if (known) return known;
        const cut = path.lastIndexOf('/');
        const folder: FileNode = { path, name: path.slice(cut + 1), isFile: false, children: [] };
        folders.set(path, folder);
        folderOf(cut < 0 ? '' : path.slice(0, cut)).children.push(folder);
        return folder;
    };
    for (const path of paths) {
        const cut = path.lastIndexOf('/');
        folderOf(cut < 0 ? '' : path.slice(0, cut)).children.push({
            path,
            name: path.slice(cut + 1),
            isFile: true,
            children: [],
        });
    }
    for (const { children } of folders.values())
        children.sort(
            (one, other) => Number(one.isFile) - Number(other.isFile) || natural(one.name, other.name),
        );
    return root.children;
}
