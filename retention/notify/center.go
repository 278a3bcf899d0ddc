package notify

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Marks remembers, for all replicas, what was told when.
type Marks interface {
	// NoticeDue is true, once, where the cause was not told within that time; and
	// remembers that it is told now.
	NoticeDue(ctx context.Context, cause string, within time.Duration) (bool, error)
	// NoticesOver forgets the causes that begin so.
	NoticesOver(ctx context.Context, prefix string) error
}

// Channel sends a notice somewhere; an error after its own retries is final.
type Channel interface {
	Name() string
	Send(ctx context.Context, n Notice) error
}

// Center takes notices and sends each once per cause. Its fields are set before
// [Center.Run] and not changed after.
type Center struct {
	Marks    Marks
	Channels []Channel
	Every    time.Duration // reminder while a cause lasts; 0: a day
	Now      func() time.Time
	Log      *zap.Logger
	Counted  func(channel, outcome string) // sent, failed, dropped; may be nil

	once  sync.Once
	queue chan item
	local map[string]time.Time // what was told while the store did not answer
}

// item is a notice, or the end of causes.
type item struct {
	notice Notice
	over   string // a prefix of causes
}

// queued is how many notices wait at most; more are dropped, and counted.
const queued = 256

func (c *Center) items() chan item {
	c.once.Do(func() { c.queue, c.local = make(chan item, queued), map[string]time.Time{} })
	return c.queue
}

// Tell takes a notice. It never blocks.
func (c *Center) Tell(n Notice) {
	if n.At.IsZero() {
		n.At = c.Now()
	}
	c.put(item{notice: n})
}

// Over says that the causes that begin with the prefix are over: when one comes
// again it is told at once.
func (c *Center) Over(prefix string) { c.put(item{over: prefix}) }

func (c *Center) put(i item) {
	if len(c.Channels) == 0 {
		return
	}
	select {
	case c.items() <- i:
	default:
		c.count("queue", "dropped")
		c.Log.Warn("a notification was dropped: too many wait", zap.String("cause", i.notice.Cause))
	}
}

func (c *Center) count(channel, outcome string) {
	if c.Counted != nil {
		c.Counted(channel, outcome)
	}
}

// Run sends until ctx is done, and what waits then for a moment longer. Channels do
// not wait for each other.
func (c *Center) Run(ctx context.Context) {
	sending := context.WithoutCancel(ctx)
	sending, stop := context.WithCancel(sending)
	defer stop()
	var all sync.WaitGroup
	lines := make([]chan Notice, len(c.Channels))
	for i, ch := range c.Channels {
		lines[i] = make(chan Notice, queued)
		all.Go(func() { c.send(sending, ch, lines[i]) })
	}
	c.work(ctx, lines)
	for _, l := range lines {
		close(l)
	}
	late := time.AfterFunc(lastWords, stop)
	defer late.Stop()
	all.Wait()
}

// lastWords is how long what is to be sent may take once the daemon stops.
const lastWords = 3 * time.Second

func (c *Center) work(ctx context.Context, lines []chan Notice) {
	for {
		select {
		case i := <-c.items():
			c.take(ctx, i, lines)
		case <-ctx.Done():
			for {
				select {
				case i := <-c.items():
					c.take(context.WithoutCancel(ctx), i, lines)
				default:
					return
				}
			}
		}
	}
}

// take decides whether to tell, and hands the notice to each channel.
func (c *Center) take(ctx context.Context, i item, lines []chan Notice) {
	ctx, done := context.WithTimeout(ctx, 5*time.Second)
	defer done()
	if i.over != "" {
		for k := range c.local {
			if strings.HasPrefix(k, i.over) {
				delete(c.local, k)
			}
		}
		if err := c.Marks.NoticesOver(ctx, i.over); err != nil {
			c.Log.Debug("that a cause is over was not remembered", zap.Error(err))
		}
		return
	}
	if !c.due(ctx, i.notice) {
		return
	}
	for k, l := range lines {
		select {
		case l <- i.notice:
		default:
			c.count(c.Channels[k].Name(), "dropped")
		}
	}
}

// due asks the store; where it does not answer, this process alone decides.
func (c *Center) due(ctx context.Context, n Notice) bool {
	every := c.Every
	if every <= 0 {
		every = 24 * time.Hour
	}
	if at, told := c.local[n.Cause]; told && n.At.Sub(at) < every {
		return false
	}
	yes, err := c.Marks.NoticeDue(ctx, n.Cause, every)
	if err != nil {
		c.local[n.Cause] = n.At
		return true
	}
	return yes
}

// send sends what comes, one after the other. What could not be sent is told again
// when its cause comes again.
func (c *Center) send(ctx context.Context, ch Channel, line <-chan Notice) {
	for n := range line {
		err := ch.Send(ctx, n)
		switch {
		case err == nil:
			c.count(ch.Name(), "sent")
			continue
		case !errors.Is(err, context.Canceled):
			c.Log.Error("a notification could not be sent", zap.String("channel", ch.Name()), zap.String("cause", n.Cause), zap.Error(err))
		}
		c.count(ch.Name(), "failed")
		c.Over(n.Cause)
	}
}
