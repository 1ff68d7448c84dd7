using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>
/// Runs the attackers on threads of the lowest priority. They run on the server's machine, and would otherwise take the processors from it, which no attacker elsewhere
/// can. They get all the time that the server leaves.
/// </summary>
internal sealed class BackgroundScheduler : TaskScheduler
{
    private const int Lowest = 19;
    private const int CallingThread = 0; // With PRIO_PROCESS, which is 0 too: Linux has a priority per thread.

    private readonly BlockingCollection<Task> _tasks = [];

    private BackgroundScheduler()
    {
        for (var i = 0; i < Environment.ProcessorCount; i++)
            new Thread(Run) { IsBackground = true, Name = "attacker", Priority = ThreadPriority.Lowest }.Start();
    }

    /// <summary>The only one: an attacker's connections are still closing when the next attack begins.</summary>
    public static BackgroundScheduler Instance { get; } = new();

    /// <summary>Runs work, and all that continues it, on these threads.</summary>
    public Task RunAsync(Func<Task> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.None, this).Unwrap();

    /// <inheritdoc/>
    protected override void QueueTask(Task task) => _tasks.Add(task);

    /// <inheritdoc/>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => Current == this && !taskWasPreviouslyQueued && TryExecuteTask(task);

    /// <inheritdoc/>
    protected override IEnumerable<Task> GetScheduledTasks() => _tasks;

    private void Run()
    {
        if (OperatingSystem.IsLinux()) // The runtime's own priorities have no effect there.
            _ = SetPriority(0, CallingThread, Lowest);
        foreach (var task in _tasks.GetConsumingEnumerable())
            TryExecuteTask(task);
    }

    [DllImport("libc", EntryPoint = "setpriority"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetPriority(int which, int who, int priority);
}
