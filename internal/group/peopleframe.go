package group

import "kith/internal/wire"

// Frame 13, people, begins with a part:
//
//	part name     rest
//	0    digest   digest[32] of what the sender would offer
//	1    offer    (person[32], u32 headers, u16 packages)<V>, ascending by person, u8 answer
//	2    papers   (opaque proof<V>, (opaque package<V>)<V>)<V>, u8 more
//	3    digest   of what the sender would offer by part 4, likewise
//	4    offer    (person[32], u32 headers, u16 packages, sum[32])<V>, likewise
//
// A sum is the hash of the papers as they would be sent. Parts 3 and 4 go to devices
// that read FeaturePapers: others see of papers how many there are.
const (
	peopleDigest uint8 = 0
	peopleOffer  uint8 = 1
	peoplePapers uint8 = 2
	// sumsPart is how much the numbers of the parts with sums are higher than those of
	// the parts without.
	sumsPart uint8 = 3
)

type papersOffer struct {
	person   wire.PersonID
	headers  uint32
	packages uint16
	sum      wire.Digest
}

type peopleFrame struct {
	part   uint8
	sums   bool // of a digest or an offer
	digest wire.Digest
	offers []papersOffer
	answer bool // the offer asks for none
	papers []*personPapers
	more   bool
}

func (f peopleFrame) bytes() []byte {
	var w wire.Writer
	w.U8(framePeople)
	part := f.part
	if f.sums {
		part += sumsPart
	}
	w.U8(part)
	switch f.part {
	case peopleDigest:
		w.Raw(f.digest[:])
	case peopleOffer:
		writeOffers(&w, f.offers, f.sums)
		w.Bool(f.answer)
	case peoplePapers:
		w.Group(func(w *wire.Writer) {
			for _, p := range f.papers {
				p.write(w)
			}
		})
		w.Bool(f.more)
	}
	return w.Bytes()
}

func writeOffers(w *wire.Writer, offers []papersOffer, sums bool) {
	w.Group(func(w *wire.Writer) {
		for _, o := range offers {
			w.Raw(o.person[:])
			w.U32(o.headers)
			w.U16(o.packages)
			if sums {
				w.Raw(o.sum[:])
			}
		}
	})
}

func parsePeople(r *wire.Reader) (f peopleFrame, err error) {
	f.part = r.U8()
	if f.sums = f.part >= sumsPart; f.sums {
		f.part -= sumsPart
	}
	switch {
	case f.part == peopleDigest:
		r.Fixed(f.digest[:])
	case f.part == peopleOffer:
		r.Each(maxStatements*(38+len(wire.Digest{})), maxStatements, func(r *wire.Reader) {
			o := readOffer(r, f.sums)
			if n := len(f.offers); n > 0 && comparePerson(f.offers[n-1].person, o.person) >= 0 {
				r.Fail(wire.ErrCanonical)
			}
			f.offers = append(f.offers, o)
		})
		f.answer = r.Bool()
	case f.part == peoplePapers && !f.sums:
		r.Each(wire.MaxVector, maxStatements, func(r *wire.Reader) { f.papers = append(f.papers, readPapers(r)) })
		f.more = r.Bool()
	default:
		r.Fail(wire.ErrCanonical)
	}
	return f, r.Done()
}

func readOffer(r *wire.Reader, sums bool) (o papersOffer) {
	r.Fixed(o.person[:])
	o.headers, o.packages = r.U32(), r.U16()
	if sums {
		r.Fixed(o.sum[:])
	}
	return o
}
