package node

// complainEach is how often, in ms, one group says that it cannot write: on a full
// disk every message that comes fails, and the log may lie on the same disk.
const complainEach = 60_000

func (o *owner) complain(err error) {
	now := o.n.steadyMS()
	if o.moaned != 0 && now < o.moaned+complainEach {
		return
	}
	o.moaned = max(now, 1)
	o.n.log.Error("cannot write", "group", shortGroup(o.id), "err", err)
}
