namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>An attack on a server.</summary>
/// <param name="Key">For the command line.</param>
/// <param name="Name">What it does, in a few words.</param>
/// <param name="HeldBy">The limit or rule that stops it.</param>
/// <param name="RunAsync">Makes it. Its connections stay open until it is over.</param>
/// <param name="PrepareAsync">Prepares it, which is not measured; null for nothing.</param>
internal sealed record Attack(
    string Key, string Name, string HeldBy, Func<Attacker, CancellationToken, Task> RunAsync, Func<Attacker, CancellationToken, Task>? PrepareAsync = null)
{
    /// <summary>How the server is started.</summary>
    public ServerTerms Terms { get; init; } = new();

    /// <summary>No server could serve clients during this attack: only what follows is judged.</summary>
    public bool EndsService { get; init; }
}

/// <summary>How a server is started.</summary>
/// <param name="HasUsers">Clients need a name and a password.</param>
/// <param name="HasHeapLimit">The heap is limited to 256 MiB, as in a small container.</param>
/// <param name="AccessList">The access list; null for none.</param>
internal sealed record ServerTerms(bool HasUsers = true, bool HasHeapLimit = false, string? AccessList = null);
