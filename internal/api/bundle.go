package api

import (
	"cmp"
	"context"
	"io"
	"os"

	"connectrpc.com/connect"

	"kith/internal/node"
	v1 "kith/proto/kith/v1"
)

// bundlePart is how much of a bundle goes in one message, in bytes.
const bundlePart = 256 << 10

func (s *service) ExportBundle(_ context.Context, r *v1.ExportBundleRequest, stream *connect.ServerStream[v1.BundlePart]) error {
	out := &bundleParts{send: stream.Send}
	sums, err := s.exportBundle(out, r)
	if err != nil {
		return err
	}
	if err := out.flush(); err != nil {
		return err
	}
	last := &v1.Bundle{}
	for _, sum := range sums {
		last.Chats = append(last.Chats, bundleChat(sum))
	}
	return stream.Send(&v1.BundlePart{Bundle: last})
}

// exportBundle exports a chat, or what is for a person. A direct chat means the person.
func (s *service) exportBundle(to io.Writer, r *v1.ExportBundleRequest) ([]node.BundleGroup, error) {
	g, err := s.chat(r.Chat, "chat")
	p, direct := s.node.DirectWith(g)
	if err != nil {
		other, unknown := s.other(r.Chat)
		if unknown != nil {
			return nil, err
		}
		p, direct = other, true
	}
	var sums []node.BundleGroup
	if direct {
		sums, err = s.node.ExportBundleFor(to, p, r.All)
	} else {
		sums, err = s.node.ExportBundle(to, g, r.All)
	}
	return sums, asConnect(err)
}

// bundleParts sends what is written in parts.
type bundleParts struct {
	send func(*v1.BundlePart) error
	buf  []byte
}

func (p *bundleParts) Write(b []byte) (int, error) {
	p.buf = append(p.buf, b...)
	if len(p.buf) < bundlePart {
		return len(b), nil
	}
	return len(b), p.flush()
}

func (p *bundleParts) flush() error {
	if len(p.buf) == 0 {
		return nil
	}
	err := p.send(&v1.BundlePart{Data: p.buf})
	p.buf = nil
	return err
}

// ImportBundle keeps the file beside the database while it comes, since it is read twice: sealed as
// it is, and in a folder that only its owner may open. What comes after a fault is not kept.
func (s *service) ImportBundle(_ context.Context, stream *connect.ClientStream[v1.BundlePart]) (*v1.Bundle, error) {
	file, err := os.CreateTemp(s.cfg.Home, "import-*")
	if err != nil {
		return nil, asConnect(err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	read, err := s.node.ImportBundle(&partsOf{stream: stream}, file)
	if err != nil {
		for stream.Receive() { // HTTP/1.1 loses an answer that comes before its request has ended
		}
		return nil, asConnect(err)
	}
	out := &v1.Bundle{From: personOf(read.From), MadeAt: read.Made, Others: uint32(read.Others)}
	for _, c := range read.Groups {
		out.Chats = append(out.Chats, bundleChat(c))
	}
	return out, nil
}

// partsOf reads what comes in parts.
type partsOf struct {
	stream *connect.ClientStream[v1.BundlePart]
	rest   []byte
}

func (p *partsOf) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		if !p.stream.Receive() {
			return 0, cmp.Or(p.stream.Err(), io.EOF)
		}
		p.rest = p.stream.Msg().Data
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func bundleChat(b node.BundleGroup) *v1.BundleChat {
	return &v1.BundleChat{ChatId: b.Group.String(), Title: b.Title, Messages: uint32(b.Entries), Changes: uint32(b.Blocks), Invitation: b.Invitation}
}
