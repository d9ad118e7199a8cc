using Google.Protobuf;
using Hosting.HostAgent.Files;
using Hosting.Protocol;

namespace Hosting.HostAgent.Reconcile;

/// <summary>The last desired state of one VM on disk: what the agent goes by while there is no control plane.</summary>
internal sealed class DesiredStore(string directory, ILogger log)
{
    private readonly string _path = Path.Combine(directory, "desired.bin");

    /// <summary>Durable when it returns.</summary>
    public void Write(DesiredVm desired)
    {
        Directory.CreateDirectory(directory);
        AtomicFile.Write(_path, desired.ToByteArray());
    }

    /// <summary>The last one; null when there is none.</summary>
    public DesiredVm? Read()
    {
        try
        {
            return File.Exists(_path) ? DesiredVm.Parser.ParseFrom(File.ReadAllBytes(_path)) : null;
        }
        catch (InvalidProtocolBufferException error)
        {
            log.LogError("{File} cannot be read ({Reason}); its containers are left alone until the control plane says what it wants", _path, error.Message);
            return null;
        }
    }
}
