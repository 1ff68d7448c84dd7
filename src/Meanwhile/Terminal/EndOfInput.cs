namespace Meanwhile.Terminal;

/// <summary>What the runtime makes of a terminal that is gone: the same key, without end.</summary>
internal static class EndOfInput
{
    /// <summary>Whether it is that and no key. Ctrl-D, which has the same character, has a key.</summary>
    public static bool IsIt(ConsoleKeyInfo key) => key is { Key: ConsoleKey.None, KeyChar: '\x04' };
}
