namespace Meanwhile.Stores;

/// <summary>The store could not do what it was asked to; nothing of it was done.</summary>
/// <param name="message">One line for a person.</param>
/// <param name="mayHeal">Worth trying again: a full disk, a file that another program holds for a moment.</param>
internal sealed class StoreException(string message, bool mayHeal) : Exception(message)
{
    /// <summary>Worth trying again.</summary>
    public bool MayHeal { get; } = mayHeal;
}
