package mailbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"kith/internal/link"
)

// A visit is one connection to the server. Its goroutine takes one request after
// the other; each wait has one of its own.
type visit struct {
	*Server
	conn   link.Conn
	source string
	member bool // has shown the access secret
	proven bool // has shown a capability: it is answered from then on
	makes  int
	waits  chan struct{} // holds a token for each open wait
	wg     sync.WaitGroup
}

// errSilent ends a visit without a word.
var errSilent = errors.New("mailbox: nothing is said to this visitor")

func (s *Server) serve(ctx context.Context, conn link.Conn) {
	s.count.connections.Add(1)
	s.count.open.Add(1)
	defer s.count.open.Add(-1)
	ctx, cancel := context.WithCancel(ctx)
	v := &visit{Server: s, conn: conn, source: s.cfg.Source(conn.Remote()), waits: make(chan struct{}, maxWaits)}
	if v.hello(ctx) == nil {
		for v.next(ctx) == nil {
		}
	}
	cancel()
	v.wg.Wait()
	conn.Close()
}

// hello takes the first frame.
func (v *visit) hello(ctx context.Context) error {
	f, err := v.read(ctx, helloWait)
	if err != nil {
		return err
	}
	if f.kind != kindHello {
		return errSilent
	}
	if f.access != nil {
		v.member = same(*f.access, *v.access.Load())
		if !v.member && !v.sources.take(v.source, allowFailure, 1, time.Now()) {
			return errSilent
		}
	}
	return nil
}

// read returns the next request, within limit.
func (v *visit) read(ctx context.Context, limit time.Duration) (frame, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	b, err := v.conn.Read(ctx)
	if err != nil {
		return frame{}, err
	}
	v.count.bytesIn.Add(int64(len(b)))
	f, err := parseFrame(b)
	if err == nil && f.kind >= kindMade {
		err = ErrFrame
	}
	return f, err
}

// next serves one request. The error ends the visit.
func (v *visit) next(ctx context.Context) error {
	f, err := v.read(ctx, idleWait)
	for err != nil {
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) || len(v.waits) == 0 {
			return err
		}
		f, err = v.read(ctx, idleWait)
	}
	answer, err := v.answer(ctx, f)
	switch {
	case err == nil && f.kind == kindWait:
		return nil
	case err == nil:
		v.proven = true
	case ctx.Err() != nil || errors.Is(err, errSilent):
		return errSilent
	default:
		answer = v.refusal(f.tag, err)
	}
	if !v.member && !v.proven {
		return errSilent
	}
	answer.tag = f.tag
	return v.write(ctx, answer)
}

func (v *visit) write(ctx context.Context, f frame) error {
	ctx, cancel := context.WithTimeout(ctx, writeWait)
	defer cancel()
	b := f.bytes()
	v.count.bytesOut.Add(int64(len(b)))
	return v.conn.Write(ctx, b)
}

func (v *visit) answer(ctx context.Context, f frame) (frame, error) {
	switch f.kind {
	case kindMake:
		return v.make(ctx, f)
	case kindPut:
		return v.put(ctx, f)
	case kindFetch:
		return v.fetch(ctx, f)
	case kindWait:
		return v.await(ctx, f)
	case kindDelete:
		return v.delete(ctx, f)
	case kindAskRoom:
		return v.askRoom()
	}
	return frame{}, errSilent // a second hello
}

func (v *visit) make(ctx context.Context, f frame) (frame, error) {
	if !v.member {
		return frame{}, errSilent
	}
	if v.makes++; v.makes > makesPerConn || !v.sources.take(v.source, allowMake, 1, time.Now()) {
		return frame{}, &FullError{What: LimitRate, Retry: time.Hour}
	}
	held, err := v.cfg.Engine.Make(ctx, f.drop, hourNow()+uint32(min(f.hours, v.cfg.KeepHours)))
	if err == nil && held.Expires <= hourNow() {
		err = ErrRefused // it waits to be swept
	}
	v.count.makes.Add(1)
	return frame{kind: kindMade, expiry: held.Expires}, err
}

// checked is find, which counts failures.
func (v *visit) checked(ctx context.Context, f frame, pick func(Drop) [32]byte) (Held, error) {
	held, err := v.find(ctx, f, pick)
	if errors.Is(err, ErrRefused) && !v.sources.take(v.source, allowFailure, 1, time.Now()) {
		return held, &FullError{What: LimitRate, Retry: time.Minute}
	}
	return held, err
}

func (v *visit) put(ctx context.Context, f frame) (frame, error) {
	began := time.Now()
	if _, err := v.checked(ctx, f, toWrite); err != nil {
		return frame{}, err
	}
	v.proven = true
	if !v.sources.take(v.source, allowItem, len(f.items), began) {
		return frame{}, &FullError{What: LimitRate, Retry: time.Minute}
	}
	items := make([][]byte, len(f.items))
	for i, item := range f.items {
		items[i] = item.Bytes
	}
	last, err := v.cfg.Engine.Put(ctx, f.name, items)
	if err != nil {
		return frame{}, err
	}
	v.hub.tell(f.name)
	v.count.puts.observe(time.Since(began))
	v.count.stored.Add(int64(len(items)))
	return frame{kind: kindStored, at: last}, nil
}

func (v *visit) fetch(ctx context.Context, f frame) (frame, error) {
	began := time.Now()
	if _, err := v.checked(ctx, f, toRead); err != nil {
		return frame{}, err
	}
	p, err := v.cfg.Engine.Fetch(ctx, f.name, f.at)
	if err != nil {
		return frame{}, err
	}
	v.count.fetches.observe(time.Since(began))
	v.count.fetched.Add(int64(len(p.Items)))
	return frame{kind: kindPage, at: p.End, more: p.More, items: p.Items}, nil
}

func (v *visit) delete(ctx context.Context, f frame) (frame, error) {
	held, err := v.checked(ctx, f, toRead)
	if err == nil && held.Keep {
		err = ErrRefused
	}
	if err != nil {
		return frame{}, err
	}
	v.count.deletes.Add(1)
	return frame{kind: kindDone}, v.cfg.Engine.Delete(ctx, f.name, f.at)
}

func (v *visit) askRoom() (frame, error) {
	if !v.member {
		return frame{}, errSilent
	}
	b := v.cfg.Bounds
	free := max(0, b.Bytes-v.cfg.Engine.Usage().Bytes)
	return frame{kind: kindRoom, room: Room{
		DropItems: uint32(b.DropItems), DropBytes: uint64(b.DropBytes), Hours: v.cfg.KeepHours, Free: uint8(free / max(1, b.Bytes/16)),
	}}, nil
}

// await checks a wait, and has it answered by a goroutine.
func (v *visit) await(ctx context.Context, f frame) (frame, error) {
	// Heard from before the drop is read, or an item in between would go unnoticed.
	news, stop := v.hub.listen(f.name)
	held, err := v.checked(ctx, f, toRead)
	if err != nil {
		stop()
		return frame{}, err
	}
	v.proven = true
	select {
	case v.waits <- struct{}{}:
	default:
		stop()
		return frame{}, &FullError{What: LimitRate, Retry: time.Minute}
	}
	v.count.waiting.Add(1)
	v.wg.Go(func() {
		defer v.count.waiting.Add(-1)
		defer func() { <-v.waits }()
		defer stop()
		v.waitFor(ctx, f, held.End, news)
	})
	return frame{}, nil
}

// waitFor answers once there is an item after f.at, or the time is over.
func (v *visit) waitFor(ctx context.Context, f frame, end uint64, news <-chan struct{}) {
	late := time.NewTimer(time.Duration(f.wait) * time.Second)
	defer late.Stop()
	for over := false; end <= f.at && !over; {
		select {
		case <-news:
		case <-late.C:
			over = true
		case <-ctx.Done():
			return
		case <-v.conn.Done():
			return
		}
		held, found, err := v.cfg.Engine.Find(ctx, f.name)
		if err != nil || !found || held.Expires <= hourNow() {
			v.write(ctx, v.refusal(f.tag, errors.Join(ErrRefused, err)))
			return
		}
		end = held.End
	}
	v.count.notices.Add(1)
	v.write(ctx, frame{kind: kindNews, tag: f.tag, at: end})
}
