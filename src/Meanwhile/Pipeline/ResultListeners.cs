namespace Meanwhile.Pipeline;

/// <summary>Hands each result to those who listen. The data path puts it down and goes on; nobody makes it wait.</summary>
internal sealed class ResultListeners
{
    private const int Most = 64;

    private readonly Lock _gate = new();
    private volatile ResultMailbox[] _mailboxes = [];

    /// <summary>How many there are.</summary>
    public int Count => _mailboxes.Length;

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
    /// <param name="payload">The caller's again afterwards.</param>
    /// <param name="end">Where its windows end.</param>
    public void Tell(string series, ReadOnlyMemory<byte> payload, long end)
    {
        var mailboxes = _mailboxes;
        if (mailboxes.Length == 0)
            return;
        var copy = payload.ToArray();
        foreach (var mailbox in mailboxes)
            mailbox.Put(series, copy, end);
    }
}
