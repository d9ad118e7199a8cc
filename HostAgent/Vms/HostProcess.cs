using System.Globalization;
using System.Runtime.InteropServices;

namespace Hosting.HostAgent.Vms;

/// <summary>A process that need not be our child, told from a later one with the same number by its start time.</summary>
/// <param name="Id">Process id as the host sees it.</param>
/// <param name="StartTime">Clock ticks since boot.</param>
/// <param name="Boot">The boot it belongs to.</param>
internal sealed partial record HostProcess(int Id, long StartTime, string Boot)
{
    private const int SysPidfdOpen = 434;
    private const int SysPidfdSendSignal = 424;
    private const short PollIn = 1;
    private static readonly string CurrentBoot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>The process with that number now; null when there is none.</summary>
    public static HostProcess? Find(int id) => ReadStat(id) is { } stat ? new HostProcess(id, stat.StartTime, CurrentBoot) : null;

    /// <summary>Name and parent of a process; null when it is gone.</summary>
    public static (string Name, int Parent)? Describe(int id) => ReadStat(id) is { } stat ? (stat.Name, stat.Parent) : null;

    /// <summary>Whether it still runs.</summary>
    public bool IsAlive => Boot == CurrentBoot && ReadStat(Id) is { } stat && stat.StartTime == StartTime && stat.State is not ('Z' or 'X');

    /// <summary>Completes once it has ended.</summary>
    public Task WaitForExitAsync(CancellationToken cancellation) => Task.Factory.StartNew(
        () => WaitForExit(cancellation), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Ends it at once, if it is still the same.</summary>
    public void Kill()
    {
        using var handle = Open();
        if (handle is not null && IsAlive)
            _ = Syscall(SysPidfdSendSignal, handle.Descriptor, 9, 0, 0);
    }

    private void WaitForExit(CancellationToken cancellation)
    {
        using var handle = Open();
        if (handle is null)
            return;
        var poll = new PollDescriptor { Descriptor = handle.Descriptor, Events = PollIn };
        while (IsAlive && !cancellation.IsCancellationRequested)
            _ = Poll(ref poll, 1, 1000);
        cancellation.ThrowIfCancellationRequested();
    }

    private PidHandle? Open() => Syscall(SysPidfdOpen, Id, 0, 0, 0) is >= 0 and var descriptor ? new PidHandle((int)descriptor) : null;

    private static (string Name, char State, int Parent, long StartTime)? ReadStat(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            var open = text.IndexOf('(');
            var close = text.LastIndexOf(')');
            var rest = text[(close + 2)..].Split(' ');
            return (text[(open + 1)..close], rest[0][0], int.Parse(rest[1], CultureInfo.InvariantCulture), long.Parse(rest[19], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long Syscall(long number, long first, long second, long third, long fourth);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollDescriptor descriptors, ulong count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    private sealed class PidHandle(int descriptor) : IDisposable
    {
        public int Descriptor => descriptor;

        public void Dispose() => _ = Close(descriptor);
    }
}
