package group

import "kith/internal/wire"

// ContentKind numbers what a content is. Numbers are on the wire: append only.
// A kind this program does not know is kept, carried and shown as "needs a
// newer version".
type ContentKind uint16

// Kinds of content. 6, 7 and 12 to 16 are assigned and not made yet. body.go has
// what each says.
const (
	ContentText         ContentKind = 1
	ContentReply        ContentKind = 2
	ContentReaction     ContentKind = 3
	ContentEdit         ContentKind = 4
	ContentDelete       ContentKind = 5
	ContentAttachments  ContentKind = 6
	ContentVoice        ContentKind = 7
	ContentPoll         ContentKind = 8
	ContentVote         ContentKind = 9
	ContentPin          ContentKind = 10
	ContentExpiry       ContentKind = 11
	ContentCallStart    ContentKind = 12
	ContentCallEnd      ContentKind = 13
	ContentPayment      ContentKind = 14
	ContentIntroduction ContentKind = 15
	ContentSystem       ContentKind = 16
	ContentClose        ContentKind = 17
	ContentOwn          ContentKind = 18
)

// Content is what an entry says.
//
//	size field
//	2    kind
//	V    body, by kind
type Content struct {
	Kind ContentKind
	Body []byte
}

// Text returns a text content, or why s cannot be one.
func Text(s string) (Content, error) { return Say(Words{s}) }

// Bytes encodes the content.
func (c Content) Bytes() []byte {
	var w wire.Writer
	w.U16(uint16(c.Kind))
	w.Vec(c.Body)
	return w.Bytes()
}

// ParseContent decodes a content. One of an unknown kind is no error; one whose
// body is not of its kind is.
func ParseContent(b []byte) (Content, error) {
	if len(b) > MaxContent {
		return Content{}, wire.ErrTooLong
	}
	r := wire.NewReader(b)
	c := Content{Kind: ContentKind(r.U16()), Body: r.Vec(MaxContent)}
	if err := r.Done(); err != nil {
		return Content{}, err
	}
	if _, err := c.Open(); err != nil {
		return Content{}, err
	}
	return c, nil
}
