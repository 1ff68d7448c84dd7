using Meanwhile.Stores;

namespace Meanwhile.Pipeline;

/// <summary>Hands each result, and readings, to those who listen. The data path puts it down and goes on; nobody makes it wait.</summary>
internal sealed class ResultListeners
{
    private const int Most = 64;

    // A dozen of them that listen to 10,000 series each, and take twice a second what has changed.
    private const long MostHeld = 32 << 20;

    private readonly Lock _gate = new();
    private volatile ResultMailbox[] _mailboxes = [];
    private long _told; // The data path's alone.

    /// <summary>How many there are.</summary>
    public int Count => _mailboxes.Length;

    /// <summary>How much memory they take for what they have not taken yet, in bytes.</summary>
    public long Held => _mailboxes.Sum(mailbox => mailbox.Held);

    /// <summary>Adds one; false when there are too many.</summary>
    public bool TryAdd(ResultMailbox mailbox)
    {
        lock (_gate)
        {
            if (_mailboxes.Length == Most)
                return false;
            _mailboxes = [.. _mailboxes, mailbox];
            return true;
        }
    }

    /// <summary>Takes one out.</summary>
    public void Remove(ResultMailbox mailbox)
    {
        lock (_gate)
            _mailboxes = [.. _mailboxes.Where(m => m != mailbox)];
    }

    /// <summary>A result is published.</summary>
    /// <param name="series">Whose.</param>
    /// <param name="result">Its payload is the caller's again afterwards.</param>
    public void Tell(string series, in Result result)
    {
        var mailboxes = _mailboxes;
        if (mailboxes.Length == 0)
            return;
        _told++;
        var held = 0L;
        foreach (var mailbox in mailboxes)
        {
            mailbox.Put(series, result, _told);
            held += mailbox.Held;
        }
        if (held > MostHeld)
            mailboxes.MaxBy(mailbox => mailbox.Held)!.Dismiss();
    }

    /// <summary>Readings are on disk.</summary>
    /// <param name="committed">The caller's again afterwards.</param>
    public void Tell(List<Reading> committed)
    {
        foreach (var mailbox in _mailboxes)
            mailbox.Put(committed);
    }
}
