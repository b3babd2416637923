package natlab

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"golang.org/x/sys/unix"
)

// A Capture holds every frame that passed one side of a router.
type Capture struct {
	file *os.File
	done sync.WaitGroup
	err  error // of the reader; read after done

	mu     sync.Mutex // guards frames and bytes
	frames []frame
	bytes  int
}

type frame struct {
	at    time.Time
	bytes []byte
}

// maxFrame bounds a captured frame, in bytes: the kernel hands on what it joined,
// up to 64 KiB and a header.
const maxFrame = 128 << 10

// Capture records what passes "wan" or "lan" of the router, from now until the
// capture is stopped or the test ends.
func (r *Router) Capture(side string) *Capture {
	r.net.t.Helper()
	return r.net.capture(r.In, side)
}

func (n *Internet) capture(in func(func() error) error, dev string) *Capture {
	n.t.Helper()
	c := new(Capture)
	if err := in(func() error { return c.open(dev) }); err != nil {
		n.t.Fatal(err)
	}
	c.done.Go(c.read)
	n.t.Cleanup(func() { _ = c.Stop() })
	return c
}

func (c *Capture) open(dev string) error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	c.file = os.NewFile(uintptr(fd), "capture of "+dev)
	i, err := interfaceIndex(dev)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20)
	}
	if err == nil {
		all := binary.NativeEndian.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL & 0xff})
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: i})
	}
	if err != nil {
		_ = c.file.Close()
	}
	return err
}

func (c *Capture) read() {
	b := make([]byte, maxFrame)
	for {
		n, err := c.file.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if errors.Is(err, unix.ENETDOWN) { // the cable was pulled; it may come back
			continue
		}
		if err != nil {
			c.err = err
			return
		}
		c.keep(b[:n])
	}
}

// Stop ends the capture. It fails if a frame was missed.
func (c *Capture) Stop() error {
	if c.file == nil {
		return nil
	}
	// A deadline ends the reader; what is left in the queue of the socket is read here.
	if err := c.file.SetReadDeadline(time.Now()); err != nil {
		return err
	}
	c.done.Wait()
	err := c.err
	raw, e := c.file.SyscallConn()
	if e == nil {
		e = raw.Control(func(fd uintptr) { err = errors.Join(err, c.rest(int(fd))) })
	}
	err = errors.Join(err, e, c.file.Close())
	c.file = nil
	return err
}

// rest reads what is queued, and asks the kernel whether that was all.
func (c *Capture) rest(fd int) error {
	b := make([]byte, maxFrame)
	for {
		n, _, err := unix.Recvfrom(fd, b, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if err != nil {
			return err
		}
		c.keep(b[:n])
	}
	s, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err == nil && s.Drops > 0 {
		return errors.New("the kernel dropped frames: the capture is not whole")
	}
	return err
}

func (c *Capture) keep(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames = append(c.frames, frame{time.Now(), bytes.Clone(b)})
	c.bytes += len(b)
}

// Size is how much was captured so far.
func (c *Capture) Size() (frames, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.frames), c.bytes
}

// Found returns which needles lie in a frame in any disguise.
func (c *Capture) Found(needles map[string][]byte) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for name, needle := range needles {
		if slices.ContainsFunc(Disguises(needle), c.contains) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// Contains reports whether bytes lie in a frame as they are.
func (c *Capture) Contains(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.contains(b)
}

func (c *Capture) contains(b []byte) bool {
	return slices.ContainsFunc(c.frames, func(f frame) bool { return bytes.Contains(f.bytes, b) })
}

// Pcap writes the capture to a file that Wireshark reads.
func (c *Capture) Pcap(path string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = le.AppendUint16(le.AppendUint16(b, 2), 4)
	b = append(b, make([]byte, 8)...)
	b = le.AppendUint32(le.AppendUint32(b, maxFrame), 1) // Ethernet
	for _, f := range c.frames {
		b = le.AppendUint32(b, uint32(f.at.Unix()))
		b = le.AppendUint32(b, uint32(f.at.Nanosecond()/1000))
		b = le.AppendUint32(b, uint32(len(f.bytes)))
		b = append(le.AppendUint32(b, uint32(len(f.bytes))), f.bytes...)
	}
	return os.WriteFile(path, b, 0o600)
}

// Disguises are the forms in which text or an id may lie in a packet: as it is, in
// UTF-16, hexadecimal, base32 and base64, wherever it stands in a longer text, and
// backwards. A needle of fewer than 8 bytes is not looked for in all of them.
func Disguises(b []byte) (list [][]byte) {
	backwards := bytes.Clone(b)
	slices.Reverse(backwards)
	list = append(list, b, backwards)
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		var wide []byte
		for _, u := range utf16.Encode([]rune(string(b))) {
			wide = order.AppendUint16(wide, u)
		}
		list = append(list, wide)
	}
	code := hex.EncodeToString(b)
	list = append(list, []byte(code), []byte(strings.ToUpper(code)))
	// Where in a longer text it begins shifts the letters; both ends depend on what is
	// around, and are left out.
	for shift := range 5 {
		list = append(list, inner(base32.StdEncoding.EncodeToString(padded(b, shift)), 8)...)
		list = append(list, lowered(inner(base32.StdEncoding.EncodeToString(padded(b, shift)), 8))...)
	}
	for shift := range 3 {
		list = append(list, inner(base64.StdEncoding.EncodeToString(padded(b, shift)), 4)...)
		list = append(list, inner(base64.URLEncoding.EncodeToString(padded(b, shift)), 4)...)
	}
	return list
}

func padded(b []byte, shift int) []byte { return append(make([]byte, shift), b...) }

// inner is a code without a block at each end, if enough stays to be no chance.
func inner(code string, block int) [][]byte {
	if len(code) < 2*block+8 {
		return nil
	}
	return [][]byte{[]byte(code[block : len(code)-block])}
}

func lowered(list [][]byte) (low [][]byte) {
	for _, b := range list {
		low = append(low, bytes.ToLower(b))
	}
	return low
}
