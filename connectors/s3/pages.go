package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// page is a part of a listing of versions. The client library shows none, and it is
// at their ends that it is known which names are whole.
type page struct {
	IsTruncated         bool
	NextKeyMarker       string
	NextVersionIDMarker string `xml:"NextVersionIdMarker"`
	EncodingType        string
	Version             []entry
	DeleteMarker        []entry
}

// entry is a version, or a delete marker.
type entry struct {
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified time.Time
	ETag         string
	Size         int64
}

// versionsFrom lists versions of names that begin with the prefix, after the name
// after, and calls f with each page: of names before the name next all was said by
// then; more is false where that is so of all.
func (t *Tree) versionsFrom(ctx context.Context, prefix, after string, size int, f func(p *page, next string, more bool) error) error {
	at := page{NextKeyMarker: after}
	for {
		p, err := t.versionsPage(ctx, prefix, at, size)
		if err != nil {
			return err
		}
		if p.IsTruncated && (p.NextKeyMarker < at.NextKeyMarker || p.NextKeyMarker == at.NextKeyMarker && p.NextVersionIDMarker == at.NextVersionIDMarker) {
			return errors.New("the service does not come to an end, so that it is not known what is there")
		}
		if err := f(p, p.NextKeyMarker, p.IsTruncated); err != nil || !p.IsTruncated {
			return err
		}
		at = *p
	}
}

func (t *Tree) versionsPage(ctx context.Context, prefix string, at page, size int) (*page, error) {
	ask := url.Values{"versions": {""}, "prefix": {prefix}, "max-keys": {strconv.Itoa(size)}, "encoding-type": {"url"}}
	if at.NextKeyMarker != "" {
		ask.Set("key-marker", at.NextKeyMarker)
	}
	if at.NextVersionIDMarker != "" {
		ask.Set("version-id-marker", at.NextVersionIDMarker)
	}
	p := &page{}
	err := t.again(ctx, func() (bool, error) {
		ctx, done := context.WithTimeout(ctx, listTime)
		defer done()
		text, again, err := t.call(ctx, http.MethodGet, "", ask, nil, nil)
		if *p = (page{}); err == nil && xml.Unmarshal(text, p) != nil {
			return true, errors.New("the service's answer cannot be read")
		}
		return again, err
	})
	if err == nil {
		err = p.decode()
	}
	return p, err
}

// decode takes the encoding off the names.
func (p *page) decode() error {
	if !strings.EqualFold(p.EncodingType, "url") {
		return nil
	}
	names := []*string{&p.NextKeyMarker}
	for i := range p.Version {
		names = append(names, &p.Version[i].Key)
	}
	for i := range p.DeleteMarker {
		names = append(names, &p.DeleteMarker[i].Key)
	}
	for _, n := range names {
		s, err := url.QueryUnescape(*n)
		if err != nil {
			return fmt.Errorf("the service's answer has a name that cannot be read: %w", err)
		}
		*n = s
	}
	return nil
}

func (e entry) info(marker bool) minio.ObjectInfo {
	return minio.ObjectInfo{Key: e.Key, VersionID: e.VersionID, IsLatest: e.IsLatest, LastModified: e.LastModified, ETag: strings.Trim(e.ETag, `"`), Size: e.Size, IsDeleteMarker: marker}
}
