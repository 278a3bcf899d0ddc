package state

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/retentiond/retentiond/retention"
)

// packedCursor is a cursor with the Go types of its values kept: JSON alone
// would turn an int64 into a float64.
type packedCursor struct {
	Order string   `json:"order"`
	Key   []string `json:"key"`
}

// packPage renders a page: the cursor's length and JSON, then the hashes, 8
// bytes each, deflated.
func packPage(p retention.SpoolPage) ([]byte, error) {
	order, err := packValue(p.Next.Order)
	if err != nil {
		return nil, err
	}
	c := packedCursor{Order: order}
	for _, v := range p.Next.Key {
		k, err := packValue(v)
		if err != nil {
			return nil, err
		}
		c.Key = append(c.Key, k)
	}
	head, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	raw := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	raw = append(raw, head...)
	for _, h := range p.Hashes {
		raw = binary.BigEndian.AppendUint64(raw, h)
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unpackPage(body []byte) (p retention.SpoolPage, err error) {
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(body)))
	if err != nil {
		return p, fmt.Errorf("the page is damaged; plan again: %w", err)
	}
	if len(raw) < 4 || len(raw) < 4+int(binary.BigEndian.Uint32(raw)) {
		return p, fmt.Errorf("the page is damaged (%d bytes); plan again", len(raw))
	}
	n := 4 + int(binary.BigEndian.Uint32(raw))
	var c packedCursor
	if err := json.Unmarshal(raw[4:n], &c); err != nil {
		return p, fmt.Errorf("the page's cursor is damaged; plan again: %w", err)
	}
	if p.Next.Order, err = unpackValue(c.Order); err != nil {
		return p, err
	}
	for _, k := range c.Key {
		v, err := unpackValue(k)
		if err != nil {
			return p, err
		}
		p.Next.Key = append(p.Next.Key, v)
	}
	for hashes := raw[n:]; len(hashes) >= 8; hashes = hashes[8:] {
		p.Hashes = append(p.Hashes, binary.BigEndian.Uint64(hashes))
	}
	return p, nil
}

// packValue writes a key or order value with a letter for its type.
func packValue(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case int64:
		return "i" + strconv.FormatInt(v, 10), nil
	case float64:
		return "f" + strconv.FormatFloat(v, 'g', -1, 64), nil
	case string:
		// Text of a database need not be UTF-8, JSON strings must be.
		return "s" + base64.StdEncoding.EncodeToString([]byte(v)), nil
	case []byte:
		return "b" + base64.StdEncoding.EncodeToString(v), nil
	}
	return "", fmt.Errorf("a cursor cannot hold a %T", v)
}

func unpackValue(s string) (any, error) {
	if s == "" {
		return nil, nil
	}
	var v any
	var err error
	switch text := s[1:]; s[0] {
	case 'i':
		v, err = strconv.ParseInt(text, 10, 64)
	case 'f':
		v, err = strconv.ParseFloat(text, 64)
	case 's':
		var b []byte
		b, err = base64.StdEncoding.DecodeString(text)
		v = string(b)
	case 'b':
		v, err = base64.StdEncoding.DecodeString(text)
	default:
		err = fmt.Errorf("unknown type %q", s[0])
	}
	if err != nil {
		return nil, fmt.Errorf("the page's cursor is damaged; plan again: %w", err)
	}
	return v, nil
}
