package audit

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// tileWidth is the width of a C2SP tlog tile, and of an entry bundle.
const tileWidth = 256

// Exporter is what an export reads.
type Exporter interface {
	Hasher
	Lines(ctx context.Context, log string, after int64, limit int) ([]Stored, error)
}

// Export writes one log, as far as the checkpoint goes, to dir in the layout of
// C2SP tlog-tiles (https://c2sp.org/tlog-tiles): checkpoint, tile/<L>/<N>,
// tile/entries/<N>; beside them entries.jsonl (one exact line each) and log.vkey
// (the verifier key), and for an auditor README.txt and verify.py. The checkpoint is written last.
func Export(ctx context.Context, r Exporter, key *Key, c Checkpoint, dir string) error {
	vkey, err := key.VerifierKey(c.Log)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("export audit log %s: %w", c.Log, err)
	}
	e := exporter{r, c, dir}
	err = e.entries(ctx)
	for level := 0; err == nil && c.Size>>(8*level) > 0; level++ {
		err = e.tiles(ctx, level)
	}
	if err == nil {
		err = e.write("log.vkey", []byte(vkey+"\n"))
	}
	if err == nil {
		err = e.write("README.txt", readme)
	}
	if err == nil {
		err = e.write("verify.py", verifyScript)
	}
	if err == nil {
		err = e.write("checkpoint", c.Note)
	}
	if err != nil {
		return fmt.Errorf("export audit log %s: %w", c.Log, err)
	}
	return nil
}

type exporter struct {
	r   Exporter
	c   Checkpoint
	dir string
}

func (e exporter) write(name string, data []byte) error {
	path := filepath.Join(e.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// entries writes the entry bundles and the JSON lines.
func (e exporter) entries(ctx context.Context) (err error) {
	f, err := os.Create(filepath.Join(e.dir, "entries.jsonl"))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	defer func() { err = errors.Join(err, w.Flush(), f.Close()) }()
	for n := int64(0); n*tileWidth < e.c.Size; n++ {
		width := min(e.c.Size-n*tileWidth, tileWidth)
		rows, err := e.r.Lines(ctx, e.c.Log, n*tileWidth, int(width))
		if err != nil {
			return err
		}
		if int64(len(rows)) != width {
			return fmt.Errorf("entries %d to %d are not all there; run audit verify", n*tileWidth+1, n*tileWidth+width)
		}
		var bundle []byte
		for _, row := range rows {
			bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(row.Line)))
			bundle = append(bundle, row.Line...)
			if _, err := fmt.Fprintf(w, "%s\n", row.Line); err != nil {
				return err
			}
		}
		if err := e.write(tilePath("entries", n, width), bundle); err != nil {
			return err
		}
	}
	return nil
}

// tiles writes the hash tiles of one level.
func (e exporter) tiles(ctx context.Context, level int) error {
	count := e.c.Size >> (8 * level)
	for n := int64(0); n*tileWidth < count; n++ {
		width := min(count-n*tileWidth, tileWidth)
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(8*level, n*tileWidth+int64(i))
		}
		hashes, err := e.r.Hashes(ctx, e.c.Log, indexes)
		if err != nil {
			return err
		}
		data := make([]byte, 0, width*tlog.HashSize)
		for _, h := range hashes {
			data = append(data, h[:]...)
		}
		if err := e.write(tilePath(fmt.Sprint(level), n, width), data); err != nil {
			return err
		}
	}
	return nil
}

// tilePath is tile/<L>/<N>, N in groups of three digits, all but the last with
// an x before; a partial tile has its width behind: .p/<W>.
func tilePath(level string, n, width int64) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < tileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return "tile/" + level + "/" + path
}
