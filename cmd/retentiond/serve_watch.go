package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"

	"github.com/retentiond/retentiond/policies"
)

// settleTime is how long files must be left alone before they are read: an editor
// or a deployment writes several times.
const settleTime = time.Second

// lookEach is how often the files are compared with what is in force: a watch does
// not see what is behind a link, nor a directory that was replaced.
const lookEach = 5 * time.Second

// settleTries is how often files that go on changing are waited for.
const settleTries = 10

// watch reads the policies again at every SIGHUP, and when their files or the
// configuration change. A watch only makes it sooner.
func (k *keeper) watch(ctx context.Context) {
	again := func() { k.reload(ctx) }
	onHangup(ctx, again)
	w, err := fsnotify.NewWatcher()
	if err != nil {
		k.house.log.Warn("files cannot be watched: they are compared now and then", zap.Error(err))
		w = &fsnotify.Watcher{} // nothing comes of it
	} else {
		for _, dir := range k.watched() {
			if err := w.Add(dir); err != nil {
				k.house.log.Warn("a directory cannot be watched: its files are compared now and then", zap.String("directory", dir), zap.Error(err))
			}
		}
		context.AfterFunc(ctx, func() { _ = w.Close() }) // nothing is left to say of it
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
	each := time.NewTicker(lookEach)
	defer each.Stop()
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
		case <-each.C:
			k.look(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// look compares the policy files, read through their paths, with what is in force,
// and reads them again where they differ and are left alone. False: what is in force
// is still not what the files say.
func (k *keeper) look(ctx context.Context) bool {
	print, _ := k.filesPrint()
	if k.inForce(print) && !k.awayOver() {
		return true
	}
	for range settleTries {
		select {
		case <-time.After(settleTime):
		case <-ctx.Done():
			return false
		}
		before := print
		if print, _ = k.filesPrint(); print == before {
			break
		}
	}
	k.reload(ctx)
	return k.inForce(print)
}

// filesPrint changes whenever a policy file or a list of tenants does; away are the
// paths of policies that cannot be read at all.
func (k *keeper) filesPrint() (print string, away []string) {
	print, away = policies.Print(k.house.cfg.Policies)
	return print + k.house.cfg.Print(), away
}

func (k *keeper) inForce(print string) bool {
	k.reloads.Lock()
	defer k.reloads.Unlock()
	return print == k.print
}

// concerns reports whether a changed file may be a policy or the configuration: the
// state store's own files, beside them, change all the time.
func (k *keeper) concerns(name string) bool {
	switch filepath.Ext(name) {
	case ".yaml", ".yml", "":
		return true
	}
	if strings.HasPrefix(filepath.Base(name), "..") { // a mounted ConfigMap is swapped by ..data
		return true
	}
	return name == filepath.Clean(k.house.cfg.File) || slices.Contains(k.house.cfg.Policies, name)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
