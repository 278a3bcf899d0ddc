// Package files is the connector for folders of files on this machine.
//
// Every file is reached from the handle of the root, folder by folder, and no
// symbolic link is followed, not even within the root: whoever can write into the
// tree cannot lead an action out of it. Other file systems below the root, and folders
// that are bound into it from elsewhere, are not entered. What is no plain file (links, sockets, pipes, devices) is counted and
// never touched.
//
// A file is removed only if it still is the one that was tested: the same inode,
// size and time of change, looked at through the handle of its folder right before
// its name is removed there. Folders are synced before a batch's receipt is
// written. Folders that become empty stay.
//
// A file that is redacted is written anew beside itself (Linux only) and takes its own
// place at once; the old one goes once it is sure that it is the one that was read.
// Owner, permissions, extended attributes and times stay; where they cannot, the file
// does. A file that somebody has open for writing is spared: leases tell, where the
// file system has them and the user owns the file, and size and time of change where
// not. Whoever opens one for writing meanwhile waits for a moment, and finds the file
// as it was.
//
// A file with other names (hard links) loses the one that is due; its content stays
// under the others, and is told as a residual.
package files
