// Package files is the connector for folders of files on this machine.
//
// Every file is reached from the handle of the root, folder by folder, and no
// symbolic link is followed, not even within the root: whoever can write into the
// tree cannot lead an action out of it. Other file systems below the root are not
// entered. What is no plain file (links, sockets, pipes, devices) is counted and
// never touched.
//
// A file is removed only if it still is the one that was tested: the same inode,
// size and time of change, looked at through the handle of its folder right before
// its name is removed there. Folders are synced before a batch's receipt is
// written. Folders that become empty stay.
//
// A file with other names (hard links) loses the one that is due; its content stays
// under the others, and is told as a residual.
package files
