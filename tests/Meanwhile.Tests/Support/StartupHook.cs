using System.Diagnostics.CodeAnalysis;

/// <summary>
/// What the runtime calls first in a program that is started with this assembly in DOTNET_STARTUP_HOOKS. A thread beside those of the program then waits until
/// something is written into the pipe FAIL, and fails.
/// </summary>
[SuppressMessage("Design", "MA0047", Justification = "The runtime wants it without a namespace.")]
internal static class StartupHook
{
    public static void Initialize() => new Thread(Fail) { IsBackground = true }.Start();

    private static void Fail() => throw new InvalidOperationException(File.ReadAllText(Environment.GetEnvironmentVariable("FAIL")!));
}
