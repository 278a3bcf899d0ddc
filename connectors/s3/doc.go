// Package s3 is the connector for buckets of S3 services.
//
// An object is a name with all its versions and delete markers: it is gone only when
// all of them are. The newest one says when it was changed; metadata and tags are of
// the newest that has content. Where a bucket never had versions, an object is what
// its name has now.
//
// An object is removed only if it still is what was tested: the same versions, the
// same ETags and times, looked at again right before. Versions are removed by their
// identifiers, so what a writer adds meanwhile stays, and the object counts as
// changed. Without versions the removal names the ETag: services that know the
// condition leave another content alone; with those that ignore it, what a writer
// puts in the instant between that look and the removal goes.
//
// Requests remove up to a thousand names each; what a request did is looked up
// afterwards, whatever the answer said, or whether there was one.
//
// Object Lock is honoured: what a retention date or a legal hold keeps is protected.
// No request ever asks to bypass it.
package s3
