package node

import (
	"bytes"
	"reflect"
	"sync"
	"time"

	"kith/internal/group"
	"kith/internal/wire"
)

// A sketch is a picture as it is stored, so that a start shows a chat before its machine is
// made again. The store removes it with the first record that is written after it.
//
//	size field
//	32   sketchShape
//	     sketch, see sketchcodec.go
type sketch struct {
	Device  wire.DeviceID // the machine's
	View    group.View
	Devices []group.DeviceView
	Waiting int
	Lost    []wire.BlockHash
	Names   []sketchedName
	Reach   reach
}

type sketchedName struct {
	Person wire.PersonID
	Name   string
}

// sketchAfter is how long a group must have been left alone before a sketch of it is stored, unless the
// program ends before: that of a thousand members has a megabyte or two. A group that a crash finds without
// is loaded before anything is shown.
const sketchAfter = 30 * time.Second

// sketchPace bounds what is written of one group's sketches, in bytes a second: the megabyte or two of a thousand
// members each half hour at the most, however often they talk.
const sketchPace = 1 << 10

// sketchStored takes note that a sketch of so many bytes is stored.
func (o *owner) sketchStored(size int) {
	o.sketched = true
	o.sketchNext = time.Now().Add(time.Duration(size) * time.Second / sketchPace)
}

// waitForSketch has a sketch stored when the group was left alone for a while.
func (o *owner) waitForSketch() {
	o.sketched = false
	o.sketchWake.Reset(max(sketchAfter, time.Until(o.sketchNext)))
}

// sketchShape begins every sketch. Another program's sketches may lack something, or mean something else.
var sketchShape = sync.OnceValue(func() [32]byte { return shapeOf(reflect.TypeFor[sketch]()) })

// marshal encodes the picture of a device's machine; nil where the machine is needed at once: two blocks were
// settled that exclude each other.
func (p *picture) marshal(device wire.DeviceID) []byte {
	if p.trouble != nil {
		return nil
	}
	s := sketch{Device: device, View: p.view, Devices: p.devices, Waiting: p.waiting, Reach: p.reach}
	for hash := range p.lost {
		s.Lost = append(s.Lost, hash)
	}
	for who, name := range p.names {
		s.Names = append(s.Names, sketchedName{who, name})
	}
	shape := sketchShape()
	return appendValue(shape[:], reflect.ValueOf(s))
}

// parseSketch returns the picture of a device's machine; nil if the sketch is of another device, or of
// a program with other pictures.
func parseSketch(b []byte, g wire.GroupID, device wire.DeviceID) *picture {
	var s sketch
	shape := sketchShape()
	b, ok := bytes.CutPrefix(b, shape[:])
	if !ok {
		return nil
	}
	rest, err := readValue(b, reflect.ValueOf(&s).Elem())
	if err != nil || len(rest) > 0 || s.Device != device || s.View.Group != g {
		return nil
	}
	p := &picture{
		view: s.View, devices: s.Devices, waiting: s.Waiting, reach: s.Reach,
		names: make(map[wire.PersonID]string), lost: make(map[wire.BlockHash]bool),
	}
	for _, hash := range s.Lost {
		p.lost[hash] = true
	}
	for _, n := range s.Names {
		p.names[n.Person] = n.Name
	}
	p.alike = alikeAmong(p.names, nil)
	return p
}

// sketches reads what is stored of the groups' pictures.
func (n *Node) sketches() (map[wire.GroupID]*picture, error) {
	list, device := make(map[wire.GroupID]*picture), n.self.Device.ID()
	err := n.db.Sketches(func(g wire.GroupID, value []byte) error {
		if p := parseSketch(value, g, device); p != nil {
			list[g] = p
		}
		return nil
	})
	return list, err
}

// keepSketch stores a sketch, unless one is there. It runs in the owner's goroutine.
func (o *owner) keepSketch() {
	if o.sketched || o.ahead {
		return
	}
	o.draw()
	b := o.picture.Load().marshal(o.machine.Device())
	if b == nil {
		return
	}
	if err := o.n.db.PutSketch(o.id, b); err != nil {
		o.n.log.Warn("no sketch", "group", shortGroup(o.id), "err", err)
		return
	}
	o.sketchStored(len(b))
}
