package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"
)

// settleTime is how long files must be left alone before they are read: an editor
// or a deployment writes several times.
const settleTime = time.Second

// watch reads the policies again at every SIGHUP, and when their files or the
// configuration change. Where files cannot be watched, SIGHUP alone does.
func (k *keeper) watch(ctx context.Context) {
	again := func() { k.reload(ctx) }
	onHangup(ctx, again)
	w, err := fsnotify.NewWatcher()
	if err != nil {
		k.house.log.Warn("files cannot be watched: SIGHUP reads the policies again", zap.Error(err))
		return
	}
	for _, dir := range k.watched() {
		if err := w.Add(dir); err != nil {
			k.house.log.Warn("a directory cannot be watched: SIGHUP reads its policies again", zap.String("directory", dir), zap.Error(err))
		}
	}
	go k.onChange(ctx, w, again)
}

// watched are the directories of the policies and of the configuration: a file that
// is replaced is another file, its directory stays.
func (k *keeper) watched() (dirs []string) {
	for _, p := range append(slices.Clone(k.house.cfg.Policies), k.house.cfg.File) {
		for _, d := range []string{p, filepath.Dir(p)} {
			if isDir(d) && !slices.Contains(dirs, d) {
				dirs = append(dirs, d)
			}
		}
	}
	return dirs
}

// onChange reads again once files have been left alone for a while.
func (k *keeper) onChange(ctx context.Context, w *fsnotify.Watcher, again func()) {
	defer func() { _ = w.Close() }()   // nothing is left to say of it
	quiet := time.NewTimer(settleTime) // once at first: for what changed before anybody watched
	for {
		select {
		case e, ok := <-w.Events:
			if !ok {
				return
			}
			if k.concerns(e.Name) {
				quiet.Reset(settleTime)
			}
		case err, ok := <-w.Errors:
			if !ok {
				return
			}
			k.house.log.Warn("watching files", zap.Error(err))
			quiet.Reset(settleTime) // what was missed may be a change
		case <-quiet.C:
			again()
		case <-ctx.Done():
			return
		}
	}
}

// concerns reports whether a changed file may be a policy or the configuration: the
// state store's own files, beside them, change all the time.
func (k *keeper) concerns(name string) bool {
	switch filepath.Ext(name) {
	case ".yaml", ".yml", "":
		return true
	}
	return name == filepath.Clean(k.house.cfg.File) || slices.Contains(k.house.cfg.Policies, name)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
