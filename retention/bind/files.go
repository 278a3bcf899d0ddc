package bind

import "github.com/retentiond/retentiond/retention"

// files refuses what this build does not do with files: an owned file that stays
// behind would be kept for ever, and nobody would see it.
func (b *binder) files(kind retention.ActionKind) {
	if len(b.dataset.FileChildren) > 0 && kind.Takes() {
		b.fail(retention.RefusePolicyError, "leave the files out, or disable the rule", "files that go with a row are not removed by this version")
	}
	if b.dataset.Files != nil && kind != retention.Delete {
		b.fail(retention.RefusePolicyError, "then: delete", "this version only deletes files")
	}
}
