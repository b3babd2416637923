package group

import (
	"bytes"
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Frame 15, pages: a chain whose settled part travels without commits, in as many
// pieces as it takes.
//
//	size field
//	1    15
//	1    part
//	     part 0, opening: who gets it may ask for the rest
//	32   block that admits the receiver; zero: the receiver is in, and was away
//	V    welcome of that block; empty: likewise
//	V    reaches, each V
//	V    infos, each V
//	V    certificate: the settlement that proves the base
//	     the first page
//	     part 1, ask
//	32   base of the opening
//	V    offer: the blocks that the asker has
//	4    bytes of the tree that it has
//	     part 2, page: the answer
//
// A page is
//
//	32   base: no block but those above it can come to count. Zero: nothing is
//	     settled yet, and all blocks come whole
//	V    light blocks, parents before children; each: V header, V attachments, each V
//	4    size of the tree after the base; zero if its keys begin with the base
//	4    offset of
//	V    a piece of the tree, after the light blocks
//	V    whole blocks, after the tree, the base first; as in a blocks frame
//	4    blocks that are left; the last page has 0
const (
	pagesOpening uint8 = 0
	pagesAsk     uint8 = 1
	pagesPage    uint8 = 2
)

type lightFrame struct {
	header      []byte
	attachments [][]byte
}

type page struct {
	base     wire.BlockHash
	lights   []lightFrame
	treeSize uint32
	offset   uint32
	tree     []byte
	blocks   []blockFrame
	left     uint32
}

type opening struct {
	invitation // but for its blocks, which are the page's
	page       page
	weight     int // bytes of it without its page
}

// kept returns an opening without its page but for the base, in memory of its own.
func (o opening) kept() opening {
	o.page = page{base: o.page.base}
	o.welcome, o.certificate = bytes.Clone(o.welcome), bytes.Clone(o.certificate)
	o.reaches, o.infos = cloneList(o.reaches), cloneList(o.infos)
	return o
}

func cloneList(list [][]byte) [][]byte {
	list = slices.Clone(list)
	for i := range list {
		list[i] = bytes.Clone(list[i])
	}
	return list
}

type pagesAskFrame struct {
	base  wire.BlockHash
	offer chain.Offer
	tree  uint32
}

func (p page) write(w *wire.Writer) {
	w.Raw(p.base[:])
	w.Group(func(w *wire.Writer) {
		for _, l := range p.lights {
			w.Vec(l.header)
			writeList(w, l.attachments)
		}
	})
	w.U32(p.treeSize)
	w.U32(p.offset)
	w.Vec(p.tree)
	writeBlocks(w, p.blocks)
	w.U32(p.left)
}

func readPage(r *wire.Reader) (p page) {
	r.Fixed(p.base[:])
	r.Each(wire.MaxVector, maxPageBlocks, func(r *wire.Reader) {
		l := lightFrame{header: r.Vec(chain.MaxHeader)}
		l.attachments = readList(r, chain.MaxBody, chain.MaxAttachments)
		p.lights = append(p.lights, l)
	})
	p.treeSize, p.offset = r.U32(), r.U32()
	p.tree = r.Vec(maxTree)
	r.Each(wire.MaxVector, maxPageBlocks, func(r *wire.Reader) { p.blocks = append(p.blocks, readBlock(r)) })
	p.left = r.U32()
	if p.treeSize > maxTree || uint64(p.offset)+uint64(len(p.tree)) > uint64(p.treeSize) {
		r.Fail(wire.ErrCanonical)
	}
	return p
}

func (p page) bytes() []byte {
	var w wire.Writer
	w.U8(framePages)
	w.U8(pagesPage)
	p.write(&w)
	return w.Bytes()
}

func (o opening) bytes() []byte {
	var w wire.Writer
	w.U8(framePages)
	w.U8(pagesOpening)
	w.Raw(o.block[:])
	w.Vec(o.welcome)
	writeList(&w, o.reaches)
	writeList(&w, o.infos)
	w.Vec(o.certificate)
	o.page.write(&w)
	return w.Bytes()
}

func readOpening(r *wire.Reader) (o opening) {
	before := r.Len()
	r.Fixed(o.block[:])
	o.welcome = r.Vec(maxBlock)
	o.reaches = readList(r, maxReach, maxStatements)
	o.infos = readList(r, maxInfo, maxStatements)
	o.certificate = r.Vec(chain.MaxSettlement)
	o.weight = before - r.Len()
	o.page = readPage(r)
	if (len(o.welcome) == 0) != (o.block == wire.BlockHash{}) {
		r.Fail(wire.ErrCanonical)
	}
	return o
}

func (a pagesAskFrame) bytes() []byte {
	var w wire.Writer
	w.U8(framePages)
	w.U8(pagesAsk)
	w.Raw(a.base[:])
	w.Vec(a.offer.Marshal())
	w.U32(a.tree)
	return w.Bytes()
}

// pagesFrame is one of the three.
type pagesFrame struct {
	opening *opening
	ask     *pagesAskFrame
	page    *page
}

func parsePages(r *wire.Reader) (f pagesFrame, err error) {
	switch part := r.U8(); part {
	case pagesOpening:
		o := readOpening(r)
		f.opening = &o
	case pagesAsk:
		var a pagesAskFrame
		r.Fixed(a.base[:])
		offer := r.Vec(maxHave)
		a.tree = r.U32()
		if err := r.Err(); err != nil {
			return f, err
		}
		if a.offer, err = chain.ParseOffer(offer); err != nil {
			return f, err
		}
		f.ask = &a
	case pagesPage:
		p := readPage(r)
		f.page = &p
	default:
		return f, errors.Join(wire.ErrCanonical, r.Err())
	}
	return f, r.Done()
}

func (f pagesFrame) bytes() []byte {
	switch {
	case f.opening != nil:
		return f.opening.bytes()
	case f.ask != nil:
		return f.ask.bytes()
	}
	return f.page.bytes()
}
