package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/vault"
)

// errPart: a file has parts that were not given.
var errPart = errors.New("a file has other parts in other segments of its batch: name all of them, or none")

// restored is what came of files.
type restored struct {
	files, same, there int64 // written; there already; left, since another file has the name
	older              int64 // older versions of objects, which were not asked for
	odd                int64 // objects whose names are no paths below a folder
	bytes              int64
}

// folder takes files of archives: complete ones of a segment that was checked to its
// end get their names, and nothing is ever replaced.
type folder struct {
	root    *os.Root
	staging string
	all     bool // older versions too
	n       int
	open    *arriving
	ready   []arriving
	restored
}

// arriving is a file on its way, under a name of its own.
type arriving struct {
	path, temp string
	f          *os.File
	h          hash.Hash
	sum        string // of the whole content, once it is there
	size, next int64
	mode       fs.FileMode
	changed    time.Time
}

// restoreFolder writes files of archives below a folder, with their times. It returns
// what was done also beside an error.
func restoreFolder(ctx context.Context, r *restoring, segments []chosen) (out restored, err error) {
	if err := os.MkdirAll(r.folder, 0o700); err != nil {
		return out, usage("name a folder that can be written", "--folder: %v", err)
	}
	root, err := os.OpenRoot(r.folder)
	if err != nil {
		return out, usage("name a folder that can be written", "--folder: %v", err)
	}
	d := &folder{root: root, staging: ".unfinished-" + strconv.Itoa(os.Getpid()), all: r.older}
	defer func() {
		d.drop()
		out, err = d.restored, errors.Join(err, root.RemoveAll(d.staging), root.Close())
	}()
	if err := root.Mkdir(d.staging, 0o700); err != nil {
		return out, usage("remove it, if nobody restores now", "--folder: %v", err)
	}
	for _, c := range inOrder(segments) {
		x := vault.NewPicker(r.pick)
		err := c.vault.Read(ctx, c.segment, r.who, func(t *retention.SegmentTable, row []any) error {
			if !t.Files || !x.Takes(t, row) {
				return nil
			}
			return d.take(t, row)
		})
		if err == nil {
			err = d.publish()
		}
		if err != nil {
			return out, err
		}
	}
	if d.open != nil {
		return out, errPart
	}
	return out, nil
}

// inOrder puts the newest batch first, since the first content of a path is the one
// that is restored, and within it the parts of a file after each other.
func inOrder(list []chosen) []chosen {
	batch := func(c chosen) string { return c.segment.Vault + " " + c.segment.Intent }
	newest := map[string]time.Time{}
	for _, c := range list {
		if at := c.segment.SealedAt; at.After(newest[batch(c)]) {
			newest[batch(c)] = at
		}
	}
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b chosen) int {
		return cmp.Or(newest[batch(b)].Compare(newest[batch(a)]), strings.Compare(batch(a), batch(b)), strings.Compare(a.segment.Name, b.segment.Name))
	})
	return out
}

// partRow is one part, by the names of its columns.
type partRow struct {
	t   *retention.SegmentTable
	row []any
}

func (p partRow) get(name string) any {
	i := slices.IndexFunc(p.t.Columns, func(c retention.SegmentColumn) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return p.row[i]
}

// take takes one part.
func (d *folder) take(t *retention.SegmentTable, row []any) error {
	p := partRow{t, row}
	name, _ := p.get(retention.FilePath).(string)
	part, ok := p.get(retention.SealedPart).(int64)
	if name == "" || !ok {
		return fmt.Errorf("%w: a row is no part of a file", vault.ErrContent)
	}
	if !d.wants(name, p) {
		if d.open != nil {
			return errPart
		}
		return nil
	}
	switch {
	case part == 0 && d.open == nil:
		if err := d.begin(name, p); err != nil {
			return err
		}
	case d.open == nil || d.open.path != nameOf(name, p) || d.open.next != part:
		return errPart
	}
	x := d.open
	content, _ := p.get(retention.SealedContent).([]byte)
	if _, err := x.f.Write(content); err != nil {
		return fmt.Errorf("--folder: %w", err)
	}
	x.h.Write(content)
	x.size += int64(len(content))
	x.next++
	if sum, last := p.get(retention.SealedSHA256).(string); last {
		size := p.get(retention.SealedBytes)
		if size == nil {
			size = p.get(retention.FileSize)
		}
		return d.end(sum, size)
	}
	return nil
}

// wants is false for a delete marker, which is no file, for an older version that nobody
// asked for, and for an object whose name is no path: the last two are counted.
func (d *folder) wants(name string, p partRow) bool {
	older, _ := p.get(retention.SealedOlder).(int64)
	_, content := p.get(retention.SealedContent).([]byte)
	first := content && p.get(retention.SealedPart) == int64(0)
	switch {
	case !content:
		return false
	case older > 0 && !d.all:
		if first {
			d.older++
		}
		return false
	case p.get(retention.SealedETag) != nil && !fs.ValidPath(name):
		if first {
			d.odd++
		}
		return false
	}
	return true
}

// nameOf is the name of a content: an older version lies beside the newest, under the
// object's name with its version behind it.
func nameOf(name string, p partRow) string {
	if older, _ := p.get(retention.SealedOlder).(int64); older == 0 {
		return name
	}
	id, _ := p.get(retention.SealedVersion).(string)
	if strings.ContainsFunc(id, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		sum := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(sum[:16])
	}
	return name + "@" + id
}

func (d *folder) begin(name string, p partRow) error {
	name = nameOf(name, p)
	if !filepath.IsLocal(name) || strings.HasSuffix(name, "/") {
		return fmt.Errorf("%w: a path leads out of its folder", vault.ErrContent)
	}
	d.n++
	x := &arriving{path: name, temp: path.Join(d.staging, strconv.Itoa(d.n)), h: sha256.New(), mode: 0o600}
	changed, err := timeOf(p.get(retention.SealedMtime))
	if text, ok := p.get(retention.SealedMode).(string); ok && err == nil { // an object has none
		var bits uint64
		bits, err = strconv.ParseUint(text, 8, 32)
		x.mode = fs.FileMode(bits) & 0o700 // what others might do with it is for the person to say
	}
	if err != nil {
		return fmt.Errorf("%w: %w", vault.ErrContent, err)
	}
	x.changed = changed
	x.f, err = d.root.OpenFile(x.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--folder: %w", err)
	}
	d.open = x
	return nil
}

// timeOf reads [retention.SealedMtime].
func timeOf(v any) (time.Time, error) {
	text, _ := v.(string)
	s, n, _ := strings.Cut(text, ".")
	sec, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	nsec, err := strconv.ParseInt(n, 10, 64)
	return time.Unix(sec, nsec), err
}

// end completes the file, which must be the one that was sealed.
func (d *folder) end(sum string, size any) error {
	x := d.open
	d.open = nil
	err := x.f.Sync()
	if err = errors.Join(err, x.f.Close()); err != nil {
		return fmt.Errorf("--folder: %w", err)
	}
	if x.sum = sum; hex.EncodeToString(x.h.Sum(nil)) != sum || size != x.size {
		return fmt.Errorf("%w: a file is not the one that was sealed", vault.ErrContent)
	}
	d.ready = append(d.ready, *x)
	return nil
}

// publish gives complete files their names.
func (d *folder) publish() error {
	for _, x := range d.ready {
		err := d.name(&x)
		switch {
		case errors.Is(err, syscall.ENAMETOOLONG):
			d.odd++
			err = d.root.Remove(x.temp)
		case errors.Is(err, fs.ErrExist):
			if d.has(&x) {
				d.same++
			} else {
				d.there++
			}
			err = d.root.Remove(x.temp)
		case err == nil:
			d.files++
			d.bytes += x.size
		}
		if err != nil {
			return fmt.Errorf("--folder: %w", err)
		}
	}
	d.ready = nil
	return nil
}

// has is whether the file that is there has the same content.
func (d *folder) has(x *arriving) bool {
	st, err := d.root.Lstat(x.path)
	if err != nil || !st.Mode().IsRegular() || st.Size() != x.size {
		return false
	}
	f, err := d.root.Open(x.path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	_, err = io.Copy(h, f)
	return err == nil && hex.EncodeToString(h.Sum(nil)) == x.sum
}

// name gives a file its name, which must be free.
func (d *folder) name(x *arriving) error {
	if dir := path.Dir(x.path); dir != "." {
		err := d.root.MkdirAll(dir, 0o700)
		if errors.Is(err, syscall.ENOTDIR) { // a file has the name of its folder
			return fs.ErrExist
		}
		if err != nil {
			return err
		}
	}
	if err := d.root.Chmod(x.temp, x.mode); err != nil {
		return err
	}
	if err := d.setTime(x.temp, x.changed); err != nil {
		return err
	}
	err := d.root.Link(x.temp, x.path)
	if err == nil {
		return d.root.Remove(x.temp)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := d.root.OpenFile(x.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // where there are no hard links
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return d.root.Rename(x.temp, x.path)
}

// drop closes what was not completed.
func (d *folder) drop() {
	if d.open != nil {
		_ = d.open.f.Close() // it is removed
	}
}

// restoreFiles restores into a folder, and says what came of it.
func (a *app) restoreFiles(ctx context.Context, r *restoring, segments []chosen) error {
	out, err := restoreFolder(ctx, r, segments)
	if err != nil {
		if out.files > 0 {
			err = fmt.Errorf("%w (%s restored before)", err, plural(out.files, "file was", "files were"))
		}
		return unverified(err)
	}
	if err := a.showFiles(r, len(segments), out); err != nil {
		return err
	}
	if out.there+out.odd > 0 {
		return verdict(exitPartial)
	}
	return nil
}

func (a *app) showFiles(r *restoring, segments int, out restored) error {
	if a.json() {
		return a.document(map[string]any{"segments": segments, "files": out.files, "bytes": out.bytes, "same": out.same, "left": out.there, "odd": out.odd, "older": out.older, "folder": r.folder})
	}
	p := a.printer()
	p.line("%s (%d bytes) from %s restored to folder %s.", plural(out.files, "file", "files"), out.bytes, plural(int64(segments), "segment", "segments"), r.folder)
	if out.same > 0 {
		p.line("%s there already, with the same content.", plural(out.same, "file was", "files were"))
	}
	if out.there > 0 {
		p.line("%s left: a file of the same name is there already, or was archived later. Restore into another folder; of what was archived more than once, name the SEGMENT (`retentiond archive list`).", plural(out.there, "file was", "files were"))
	}
	if out.odd > 0 {
		p.line("%s left: their names are no paths below a folder. --to FILE gives them as JSON lines.", plural(out.odd, "object was", "objects were"))
	}
	if out.older > 0 {
		p.line("%s of objects left: --older writes them too, under their names with @ and the version.", plural(out.older, "older version was", "older versions were"))
	}
	if out.files+out.same+out.there+out.odd == 0 && r.pick.Subject != nil {
		p.line("The index names the person: files are about them that are in no segment any more, or under another name.")
	}
	return p.err
}
