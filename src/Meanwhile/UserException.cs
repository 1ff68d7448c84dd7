namespace Meanwhile;

/// <summary>Something that the user has to mend. The message is one line: what was wrong, where, what was expected and what to do.</summary>
internal sealed class UserException(string message, int exitCode = ExitCode.Failure, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>1 for what went wrong, 2 for a setting that cannot be understood.</summary>
    public int ExitCode { get; } = exitCode;
}

/// <summary>What the program returns to the shell.</summary>
internal static class ExitCode
{
    /// <summary>Done, or asked to stop.</summary>
    public const int Success = 0;

    /// <summary>Something went wrong.</summary>
    public const int Failure = 1;

    /// <summary>The command line or a setting cannot be understood.</summary>
    public const int Usage = 2;
}
