namespace Hosting.HostAgent.Files;

/// <summary>
/// An exclusive lock on a file, freed by the kernel when its process ends in whatever way. Whoever holds it may remove the file, and
/// its directory: it then locks out nobody any more.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    private static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(20);
    private readonly FileStream _file;

    private DirectoryLock(FileStream file) => _file = file;

    /// <summary>Waits for the lock; null when somebody else held it all the time.</summary>
    public static async Task<DirectoryLock?> TakeAsync(string path, TimeSpan wait, CancellationToken cancellation)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                if (!IsRemoved(file))
                    return new DirectoryLock(file);
                await file.DisposeAsync();
            }
            catch (IOException) when (TimeProvider.System.GetElapsedTime(started) < wait)
            {
                await Task.Delay(RetryEvery, cancellation);
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Between being opened and being locked it may have been removed, and another be there that others lock.</summary>
    private static bool IsRemoved(FileStream file) =>
        new FileInfo($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}").LinkTarget!.EndsWith(" (deleted)", StringComparison.Ordinal);
}
