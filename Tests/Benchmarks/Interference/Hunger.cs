namespace Hosting.Benchmarks.Interference;

/// <summary>What the neighbours do, in the words of busybox.</summary>
/// <param name="Name">Its name.</param>
/// <param name="MemoryMiB">Memory that it may use.</param>
/// <param name="Script">Does it for ever.</param>
internal sealed record Hunger(string Name, int MemoryMiB, string Script)
{
    /// <summary>All kinds.</summary>
    public static IReadOnlyList<Hunger> All { get; } =
    [
        new("cpu", 32, "while :; do :; done"),
        new("memory", 360, "while :; do busybox dd if=/dev/zero of=/dev/null bs=300M count=20 2>/dev/null; done"),
        new("disk", 160, "while :; do busybox dd if=/dev/zero of=${FILE:-/tmp/data} bs=1M count=64 conv=fsync 2>/dev/null; done"),
    ];
}
